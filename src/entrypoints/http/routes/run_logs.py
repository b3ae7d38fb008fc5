"""What a run printed: as text, as ndjson, or as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from ....application.follow_run import Output, Place
from ....domain.access import Scope
from ....domain.attempt import Attempt
from ....domain.tenant import Tenant
from ..accept import chosen
from ..documented import problems
from ..guard import needs
from ..problems import BAD_REQUEST, Refused
from ..services import Services
from ..streams import message
from ..views.log import LogLineView
from .following import still_allowed
from .parameters import Asking, RunId, Use
from .run_events import After, Follow, LastEventId

TEXT, NDJSON = "text/plain", "application/x-ndjson"
_CHUNKS = 50
_ATTEMPTS = 20
"""The newest that a place names: what those before them could still say, nobody waits for."""

Number = Annotated[int | None, QueryParameter(description="Of this attempt alone.", ge=1, le=2**31 - 1)]
Until = Annotated[int | None, QueryParameter(description="Up to this `seq` of a chunk.", ge=0, le=2**63 - 1)]


@get(
    "/runs/{run_id:uuid}/logs",
    opt=needs(Scope.LOGS_READ),
    tags=["runs"],
    summary="What a run printed",
    responses=problems(404, 406)
    | {200: ResponseSpec(str, media_type=TEXT, description="Text, ndjson or a stream", generate_examples=False)},
)
async def run_logs(
    request: Asking,
    services: Use,
    run_id: RunId,
    attempt: Number = None,
    after: After = 0,
    until: Until = None,
    follow: Follow = False,
    last_event_id: LastEventId = None,
) -> Stream:
    """By attempt and in order; `after` and `until` are places within an attempt (a stream takes `after` of the one that
    `attempt` names). Terminal sequences are taken out."""
    tenant = request.user.tenant
    await services.run_log.get(run_id, tenant=tenant)
    if follow:
        began = None if attempt is None else {attempt: after}
        place = began if last_event_id is None else _place(last_event_id)
        told = _told(services.follow_run.output(run_id, after=place, attempt=attempt, tenant=tenant))
        return services.streams.answer(
            request.user.actor, told, stopping=services.stopping, allowed=still_allowed(request, services)
        )
    kind = chosen(request.headers.get("accept"), (TEXT, NDJSON))
    attempts = await services.history.attempts(run_id, tenant=tenant)
    wanted = [one for one in attempts if attempt in (None, one.number)]
    return Stream(_lines(services, wanted, after, until, tenant, kind), media_type=kind)


async def _lines(
    services: Services, attempts: list[Attempt], after: int, until: int | None, tenant: Tenant, kind: str
) -> AsyncIterator[bytes]:
    for attempt in attempts:
        last = after
        while chunks := await services.history.output(
            attempt.id, after=last, until=until, limit=_CHUNKS, tenant=tenant
        ):
            for chunk in chunks:
                last = chunk.seq
                views = [LogLineView.of(attempt.number, chunk.seq, line) for line in chunk.lines]
                if kind == NDJSON:
                    yield b"".join(msgspec.json.encode(view) + b"\n" for view in views)
                else:
                    yield "".join(f"{view.text}\n" for view in views).encode(errors="replace")


async def _told(output: AsyncIterator[Output]) -> AsyncIterator[bytes]:
    async for one in output:
        lines = [LogLineView.of(one.attempt, one.chunk.seq, line) for line in one.chunk.lines]
        yield message(_text(one.place), "log", lines)


def _text(place: Place) -> str:
    newest = sorted(place.items())[-_ATTEMPTS:]
    return ",".join(f"{attempt}.{seq}" for attempt, seq in newest)


def _place(text: str) -> Place:
    found = {}
    for part in text.split(",", _ATTEMPTS):
        attempt, _, seq = part.partition(".")
        if not all(number.isascii() and number.isdigit() and len(number) <= 18 for number in (attempt, seq)):
            raise Refused(BAD_REQUEST, "Last-Event-ID is none of this stream's")
        found[int(attempt)] = int(seq)
    return found
