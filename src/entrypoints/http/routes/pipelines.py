"""Pipelines: what they declare, how they do, and pausing them."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Controller, get, post
from litestar.params import JSONBody

from ....domain.access import Scope
from ..documented import BODY, problems
from ..guard import needs
from ..moments import checked
from ..telling import asked_by, tell
from ..views.act import ReasonView
from ..views.page import Page
from ..views.pause import PauseRequest, PauseView, ResumedView
from ..views.pipeline import PipelineStateView, PipelineView
from .parameters import Asking, Name, Use


class Pipelines(Controller):
    """What can be run."""

    path = "/pipelines"
    tags = ("pipelines",)

    @get(opt=needs(Scope.PIPELINES_READ), summary="All pipelines, by name", responses=problems())
    async def list(self, request: Asking, services: Use) -> Page[PipelineView]:
        """What is declared, and what is paused."""
        paused = {pause.pipeline: pause for pause in await services.pauses.holding(tenant=request.user.tenant)}
        declared = services.declared(request.user.tenant).pipelines()
        return Page(items=tuple(PipelineView.of(one, paused.get(one.name)) for one in declared), next=None)

    @get("/{name:str}", opt=needs(Scope.PIPELINES_READ), summary="One pipeline", responses=problems(404))
    async def show(self, request: Asking, services: Use, name: Name) -> PipelineStateView:
        """Its declaration, next slots, last runs, success rate and durations."""
        declared, tenant = services.declared(request.user.tenant).get(name).pipeline, request.user.tenant
        pause = await services.pauses.current(name, tenant=tenant)
        state = await services.describe_pipeline(declared, now=datetime.now(UTC), tenant=tenant)
        return PipelineStateView.of(declared, pause, state)

    @post(
        "/{name:str}/pause",
        opt=needs(Scope.PIPELINES_PAUSE),
        summary="Pause a pipeline's schedule",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def pause(
        self, request: Asking, services: Use, name: Name, data: JSONBody[PauseRequest | None] = None
    ) -> PauseView:
        """Its slots pass by until its end, or until it is resumed; what is triggered by hand still runs."""
        declared, asking, wanted = (
            services.declared(request.user.tenant).get(name).pipeline,
            request.user,
            data or PauseRequest(),
        )
        until = checked("until", wanted.until)
        made = await services.pauses.pause(
            declared.name,
            actor=asking.actor,
            reason=wanted.reason,
            until=until,
            tenant=asking.tenant,
            method=asked_by(request),
        )
        tell(request)
        return PauseView.of(made)

    @post(
        "/{name:str}/resume",
        opt=needs(Scope.PIPELINES_PAUSE),
        summary="End a pause",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def resume(
        self, request: Asking, services: Use, name: Name, data: JSONBody[ReasonView | None] = None
    ) -> ResumedView:
        """The slots that were passed over go on record."""
        declared, asking = services.declared(request.user.tenant).get(name).pipeline, request.user
        reason = data.reason if data else None
        resumed = await services.resume_pipeline(
            declared, actor=asking.actor, reason=reason, tenant=asking.tenant, method=asked_by(request)
        )
        tell(request)
        return ResumedView.of(resumed)
