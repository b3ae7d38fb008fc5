"""Runs: the history, and one as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from ....application.ports.run_log import RunFilter
from ....domain.access import Scope
from ....domain.run import Trigger
from ....domain.run_status import RunStatus
from ..cursor import decode_cursor, encode_cursor
from ..documented import problems
from ..filters import parameters_of
from ..guard import needs
from ..moments import checked
from ..views.page import Page
from ..views.run import RunRecordView, RunView
from .parameters import NAME_LENGTH, Asking, Cursor, Limit, RunId, Use


class Runs(Controller):
    """The history."""

    path = "/runs"
    tags = ("runs",)

    @get(opt=needs(Scope.RUNS_READ), summary="Runs, the newest first", responses=problems())
    async def list(
        self,
        request: Asking,
        services: Use,
        pipeline: Annotated[str | None, QueryParameter(max_length=NAME_LENGTH)] = None,
        status: Annotated[list[RunStatus] | None, QueryParameter(max_items=20)] = None,
        trigger: FromQuery[Trigger | None] = None,
        actor: Annotated[str | None, QueryParameter(max_length=NAME_LENGTH)] = None,
        since: Annotated[datetime | None, QueryParameter(description="Created then or later.")] = None,
        until: Annotated[datetime | None, QueryParameter(description="Created before.")] = None,
        parameters: Annotated[
            str | None, QueryParameter(description="A JSON object that the run's contain.", max_length=4000)
        ] = None,
        retry_of: Annotated[UUID | None, QueryParameter(description="Retries of this run.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[RunView]:
        """A page of the tenant's runs."""
        which = RunFilter(
            tenant=request.user.tenant,
            pipeline=pipeline,
            statuses=None if status is None else tuple(status),
            trigger=trigger,
            actor=actor,
            created_from=checked("since", since),
            created_until=checked("until", until),
            parameters=parameters_of(parameters),
            retry_of=retry_of,
        )
        page = await services.run_log.find(which, limit=limit, before=decode_cursor(cursor))
        return Page(items=tuple(map(RunView.of, page.runs)), next=encode_cursor(page.next))

    @get("/{run_id:uuid}", opt=needs(Scope.RUNS_READ), summary="Everything on record", responses=problems(404))
    async def show(self, request: Asking, services: Use, run_id: RunId) -> RunRecordView:
        """One run, with its attempts, inputs, outputs, metrics, notes and events."""
        return RunRecordView.of(await services.history.record(run_id, tenant=request.user.tenant))
