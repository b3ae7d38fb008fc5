"""For Kubernetes: does the process live, and can it serve?"""

from __future__ import annotations

from litestar import Response, get
from litestar.openapi import ResponseSpec

from ..documented import problems
from ..guard import open_to_all
from ..views.health import HealthView, ReadinessView
from .parameters import Use

_TAG = ["health"]


@get("/healthz", opt=open_to_all(), tags=_TAG, summary="Does the process live?", responses=problems())
async def healthz() -> HealthView:
    """Answer; nothing else is asked."""
    return HealthView(status="ok")


@get(
    "/readyz",
    opt=open_to_all(),
    tags=_TAG,
    summary="Can it serve, and if not, what is away?",
    responses=problems() | {503: ResponseSpec(ReadinessView, description="Something is away", generate_examples=False)},
)
async def readyz(services: Use) -> Response[ReadinessView]:
    """Ask each dependency; what is wrong with it is in the log, its name here."""
    dependencies = await services.readiness()
    ready = not services.stopping.is_set() and all(state == "ok" for state in dependencies.values())
    ago = services.reconciled_ago()
    view = ReadinessView(ready=ready, dependencies=dependencies, reconciled_ago=None if ago is None else round(ago, 1))
    return Response(view, status_code=200 if ready else 503)
