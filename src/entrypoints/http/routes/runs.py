"""Runs: the history, and one as a whole."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from ....application.ports.run_log import RunFilter
from ....domain.access import Scope
from ....domain.run_status import RunStatus
from ..cursor import decode_cursor, encode_cursor
from ..documented import problems
from ..guard import needs
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
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[RunView]:
        """A page of the tenant's runs."""
        which = RunFilter(
            tenant=request.user.tenant, pipeline=pipeline, statuses=None if status is None else tuple(status)
        )
        page = await services.run_log.find(which, limit=limit, before=decode_cursor(cursor))
        return Page(items=tuple(map(RunView.of, page.runs)), next=encode_cursor(page.next))

    @get("/{run_id:uuid}", opt=needs(Scope.RUNS_READ), summary="Everything on record", responses=problems(404))
    async def show(self, request: Asking, services: Use, run_id: RunId) -> RunRecordView:
        """One run, with its attempts, inputs, outputs, metrics, notes and events."""
        tenant, history = request.user.tenant, services.history
        run = await services.run_log.get(run_id, tenant=tenant)
        return RunRecordView.of(
            run,
            await history.attempts(run_id, tenant=tenant),
            await history.notes(run_id, tenant=tenant),
            await history.events(run_id, tenant=tenant),
        )
