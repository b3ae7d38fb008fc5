"""Why something is late, failed, waits, or has not run."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Controller, get

from ....domain.access import Scope
from ..documented import problems
from ..guard import needs
from ..views.explanation import ExplanationView
from .parameters import Asking, Name, RunId, Use


class Explain(Controller):
    """A sentence, the evidence, and the next step."""

    path = "/explain"
    tags = ("explain",)

    @get("/runs/{run_id:uuid}", opt=needs(Scope.RUNS_READ), summary="Why is a run as it is?", responses=problems(404))
    async def run(self, request: Asking, services: Use, run_id: RunId) -> ExplanationView:
        """From its record."""
        now = datetime.now(UTC)
        return ExplanationView.of(await services.explain_run(run_id, now=now, tenant=request.user.tenant))

    @get(
        "/pipelines/{name:str}",
        opt=needs(Scope.PIPELINES_READ),
        summary="Why has a pipeline run, or not?",
        responses=problems(404),
    )
    async def pipeline(self, request: Asking, services: Use, name: Name) -> ExplanationView:
        """From its pause, its schedule and its last runs."""
        declared, now = services.declared(request.user.tenant).get(name).pipeline, datetime.now(UTC)
        return ExplanationView.of(await services.explain_pipeline(declared, now=now, tenant=request.user.tenant))
