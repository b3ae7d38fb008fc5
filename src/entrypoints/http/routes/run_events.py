"""The audit events of a run: all of them, or as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Response, get
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from ....domain.access import Scope
from ....domain.event import Event
from ..documented import problems
from ..guard import needs
from ..problems import BAD_REQUEST, Refused
from ..streams import message
from ..views.event import EventView
from ..views.page import Page
from .following import still_allowed
from .parameters import Asking, RunId, Use

After = Annotated[int, QueryParameter(description="Only what comes after this `seq`.", ge=0, le=2**63 - 1)]
Follow = Annotated[bool, QueryParameter(description="Go on until the run has ended: server-sent events.")]
LastEventId = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", description="Where a stream is resumed.", max_length=1000)
]


@get(
    "/runs/{run_id:uuid}/events",
    opt=needs(Scope.RUNS_READ),
    tags=["runs"],
    summary="What happened to a run",
    responses=problems(404)
    | {200: ResponseSpec(Page[EventView], description="Events, or a stream of them", generate_examples=False)},
)
async def run_events(
    request: Asking,
    services: Use,
    run_id: RunId,
    after: After = 0,
    follow: Follow = False,
    last_event_id: LastEventId = None,
) -> Response[Page[EventView]] | Stream:
    """All events of the run in the order of writing; followed, each as it is written."""
    tenant = request.user.tenant
    await services.run_log.get(run_id, tenant=tenant)
    if follow:
        began = after if last_event_id is None else _seq(last_event_id)
        events = services.follow_run.events(run_id, after=began, tenant=tenant)
        return services.streams.answer(
            request.user.actor, _told(events), stopping=services.stopping, allowed=still_allowed(request, services)
        )
    found = await services.history.events(run_id, after=after, tenant=tenant)
    return Response(Page(items=tuple(map(EventView.of, found)), next=None))


async def _told(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    async for event in events:
        yield message(event.seq, event.kind, EventView.of(event))


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(BAD_REQUEST, "Last-Event-ID is none of this stream's")
    return int(text)
