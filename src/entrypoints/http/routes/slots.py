"""Slots: what is expected of the schedules, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from ....application.ports.slots import SlotFilter, SlotPage
from ....domain.access import Scope
from ....domain.slot import SlotVerdict
from ..cursor import decode_cursor, encode_cursor
from ..documented import problems
from ..guard import needs
from ..moments import checked
from ..views.page import Page
from ..views.slot import SlotView
from .parameters import NAME_LENGTH, Asking, Cursor, Limit, Name, Use

_DAY = timedelta(hours=24)
_REASON = "At this time or later; by default 24 hours ago."
_UNTIL = "Before this time; by default 24 hours from now. The ledger goes 48 hours ahead."

Verdicts = Annotated[
    list[SlotVerdict] | None, QueryParameter(description="With this verdict only; repeatable.", max_items=10)
]
Since = Annotated[datetime | None, QueryParameter(description=_REASON)]
Until = Annotated[datetime | None, QueryParameter(description=_UNTIL)]


class AllSlots(Controller):
    """The agenda of all pipelines."""

    path = "/slots"
    tags = ("slots",)

    @get(opt=needs(Scope.PIPELINES_READ), summary="Slots of all pipelines, rising", responses=problems())
    async def list(
        self,
        request: Asking,
        services: Use,
        pipeline: Annotated[str | None, QueryParameter(max_length=NAME_LENGTH)] = None,
        verdict: Verdicts = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[SlotView]:
        """A page of what is expected of the tenant's schedules, and of what became of it."""
        which = _filter(request, pipeline, verdict, since, until)
        page = await services.slots.find(which, limit=limit, after=decode_cursor(cursor))
        return _page(page)


class PipelineSlots(Controller):
    """The agenda of one pipeline."""

    path = "/pipelines/{name:str}/slots"
    tags = ("slots",)

    @get(opt=needs(Scope.PIPELINES_READ), summary="Slots of one pipeline, rising", responses=problems(404))
    async def list(
        self,
        request: Asking,
        services: Use,
        name: Name,
        verdict: Verdicts = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[SlotView]:
        """The same for one; also for a CronJob that nobody has declared here."""
        which = _filter(request, name, verdict, since, until)
        page = await services.slots.find(which, limit=limit, after=decode_cursor(cursor))
        if not page.slots:
            services.declared(request.user.tenant).get(name)  # raises where there is no such pipeline
        return _page(page)


def _filter(
    request: Asking,
    pipeline: str | None,
    verdicts: list[SlotVerdict] | None,
    since: datetime | None,
    until: datetime | None,
) -> SlotFilter:
    now = datetime.now(UTC)
    return SlotFilter(
        tenant=request.user.tenant,
        pipeline=pipeline,
        verdicts=None if verdicts is None else tuple(verdicts),
        since=checked("since", since) or now - _DAY,
        until=checked("until", until) or now + _DAY,
    )


def _page(page: SlotPage) -> Page[SlotView]:
    return Page(items=tuple(map(SlotView.of, page.slots)), next=encode_cursor(page.next))
