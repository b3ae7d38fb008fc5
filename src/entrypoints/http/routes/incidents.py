"""Incidents: what is wrong, who looks after it; and what was promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from ....application.attain_promises import attain_promises
from ....application.handle_incident import Acknowledge, Act, Assign, Note, Snooze
from ....application.ports.incidents import IncidentFilter
from ....domain.access import Scope
from ..documented import BODY, problems
from ..guard import needs
from ..moments import checked
from ..problems import BAD_REQUEST, Refused
from ..telling import asked_by, tell
from ..views.act import ReasonView
from ..views.incident import (
    AssignRequest,
    IncidentRecordView,
    IncidentView,
    NoteRequest,
    PromisesView,
    SnoozeRequest,
)
from ..views.page import Page
from .parameters import NAME_LENGTH, Asking, Cursor, Limit, Name, Use

_MOST_DIGITS = 18
Number = Annotated[int, PathParameter(description="An incident's number.", ge=1, le=10**_MOST_DIGITS)]


class Incidents(Controller):
    """Problems of pipelines."""

    path = "/incidents"
    tags = ("incidents",)

    @get(opt=needs(Scope.INCIDENTS_READ), summary="Incidents, the newest first", responses=problems())
    async def list(
        self,
        request: Asking,
        services: Use,
        pipeline: Annotated[str | None, QueryParameter(max_length=NAME_LENGTH)] = None,
        open_: Annotated[
            bool | None, QueryParameter(name="open", description="Those that are open, or those that are over.")
        ] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[IncidentView]:
        """A page of the tenant's incidents."""
        which = IncidentFilter(tenant=request.user.tenant, open=open_, pipeline=pipeline)
        found = await services.incidents.find(which, limit=limit + 1, before=_before(cursor))
        shown = found[:limit]
        return Page(items=tuple(map(IncidentView.of, shown)), next=str(shown[-1].id) if len(found) > limit else None)

    @get("/{number:int}", opt=needs(Scope.INCIDENTS_READ), summary="One incident", responses=problems(404))
    async def show(self, request: Asking, services: Use, number: Number) -> IncidentRecordView:
        """It, and everything that was written about it."""
        return IncidentRecordView.of(await services.incidents.get(number, tenant=request.user.tenant))

    @post(
        "/{number:int}/acknowledge",
        opt=needs(Scope.INCIDENTS_HANDLE),
        summary="Look after an incident",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def acknowledge(
        self, request: Asking, services: Use, number: Number, data: JSONBody[ReasonView | None] = None
    ) -> IncidentView:
        """The first who does is kept."""
        return await _handled(request, services, number, Acknowledge(), data.reason if data else None)

    @post(
        "/{number:int}/snooze",
        opt=needs(Scope.INCIDENTS_HANDLE),
        summary="Put an incident off",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def snooze(
        self, request: Asking, services: Use, number: Number, data: JSONBody[SnoozeRequest]
    ) -> IncidentView:
        """Nobody is told of it again until then; of its end they are."""
        until = checked("until", data.until)
        assert until is not None
        return await _handled(request, services, number, Snooze(until), data.reason)

    @post(
        "/{number:int}/assign",
        opt=needs(Scope.INCIDENTS_HANDLE),
        summary="Say whose an incident is",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def assign(
        self, request: Asking, services: Use, number: Number, data: JSONBody[AssignRequest]
    ) -> IncidentView:
        """In words; null takes it away."""
        return await _handled(request, services, number, Assign(data.to), data.reason)

    @post(
        "/{number:int}/note",
        opt=needs(Scope.INCIDENTS_HANDLE),
        summary="Write something down about an incident",
        status_code=200,
        responses=problems(404, *BODY),
    )
    async def note(self, request: Asking, services: Use, number: Number, data: JSONBody[NoteRequest]) -> IncidentView:
        """Also when it is over. The same words of the same person are one note."""
        return await _handled(request, services, number, Note(data.text), None)


class PipelinePromises(Controller):
    """What one pipeline promises."""

    path = "/pipelines/{name:str}/promises"
    tags = ("pipelines",)

    @get(opt=needs(Scope.PIPELINES_READ), summary="Promises, and how many were kept", responses=problems(404))
    async def show(self, request: Asking, services: Use, name: Name) -> PromisesView:
        """Kept and promised, by week and month, of those that have a verdict."""
        tenant = request.user.tenant
        declared = services.declared(tenant).get(name).pipeline
        return PromisesView.of(await attain_promises(services.promises, declared, now=datetime.now(UTC), tenant=tenant))


async def _handled(request: Asking, services: Use, number: int, act: Act, reason: str | None) -> IncidentView:
    asking = request.user
    after = await services.handle_incident(
        number, act, actor=asking.actor, reason=reason, tenant=asking.tenant, method=asked_by(request)
    )
    tell(request)
    return IncidentView.of(after)


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _MOST_DIGITS:
        raise Refused(BAD_REQUEST, "cursor is not one of ours; take `next` of a page")
    return int(cursor)
