"""The audit events of a run."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from ....domain.access import Scope
from ..documented import problems
from ..guard import needs
from ..views.event import EventView
from ..views.page import Page
from .parameters import Asking, RunId, Use

After = Annotated[int, QueryParameter(description="Only what comes after this `seq`.", ge=0, le=2**63 - 1)]


@get(
    "/runs/{run_id:uuid}/events",
    opt=needs(Scope.RUNS_READ),
    tags=["runs"],
    summary="What happened to a run",
    responses=problems(404),
)
async def run_events(request: Asking, services: Use, run_id: RunId, after: After = 0) -> Page[EventView]:
    """All events of the run, in the order of writing."""
    tenant = request.user.tenant
    await services.run_log.get(run_id, tenant=tenant)
    events = await services.history.events(run_id, tenant=tenant)
    return Page(items=tuple(EventView.of(event) for event in events if (event.seq or 0) > after), next=None)
