"""RunLog for everybody but the supervisor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    Double,
    FromClause,
    Select,
    and_,
    cast,
    false,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.claims import moment
from ...application.ports.run_log import OpenRun, RunFilter, RunPage, Step
from ...domain.attempt import Attempt, DeathCertificate
from ...domain.event import Event
from ...domain.launch import Launch
from ...domain.run import Run, created
from ...domain.run_status import OPEN, RunStatus
from ...domain.storable import seconds, storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from . import tables
from .engine import transact
from .rows import Row, attempt_from, event_row, run_from
from .shortened import Range, ranges
from .steps import NOW, end_attempt, get_run, lock_run, write_step

# Written out, so that the planner sees that the partial index serves, whatever the parameters are.
_IS_OPEN = literal_column("run.status IN ('{}')".format("', '".join(OPEN)), Boolean)


class PostgresRunLog:
    """:class:`~kubescribe.application.ports.run_log.RunLog` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def create(self, run: Run, *, start_deadline: float | None = None) -> Run:
        """See the port."""
        run = storable(run)

        async def work(connection: AsyncConnection) -> Run:
            now = (await connection.execute(select(NOW))).scalar_one()
            deadline = None if start_deadline is None else now + timedelta(seconds=seconds(start_deadline))
            accepted = msgspec.structs.replace(run, created_at=now, start_deadline_at=deadline)
            if await write_step(connection, created(accepted)):
                return accepted
            return await get_run(connection, run.id, None)

        return await transact(self._engine, work, timeout=self._timeout)

    async def get(self, run_id: UUID, *, tenant: Tenant | None = DEFAULT_TENANT) -> Run:
        """See the port."""
        return await transact(
            self._engine, lambda connection: get_run(connection, run_id, tenant), timeout=self._timeout
        )

    async def find(self, which: RunFilter, *, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> RunPage:
        """See the port."""
        limit = max(1, limit)
        query = page_query(storable(which), limit, before)  # as what it is compared with was kept

        async def work(connection: AsyncConnection) -> RunPage:
            found = await connection.execute(query)
            names = tuple(found.keys())
            runs = [run_from(dict(zip(names, row, strict=True))) for row in found]
            more = len(runs) > limit
            runs = runs[:limit]
            return RunPage(runs=tuple(runs), next=(runs[-1].created_at, runs[-1].id) if more else None)

        return await transact(self._engine, work, timeout=self._timeout)

    async def matching(self, prefix: str, *, tenant: Tenant = DEFAULT_TENANT, limit: int = 5) -> tuple[UUID, ...]:
        """See the port."""

        async def work(connection: AsyncConnection) -> tuple[UUID, ...]:
            found: dict[UUID, None] = {}
            for part in ranges(prefix):
                for row in await connection.execute(matching_query(part, tenant, limit)):
                    found[UUID(int=row.id.int)] = None
            return tuple(found)[:limit]

        return await transact(self._engine, work, timeout=self._timeout)

    async def open_runs(self) -> tuple[OpenRun, ...]:
        """See the port."""

        async def work(connection: AsyncConnection) -> tuple[OpenRun, ...]:
            return tuple(_open_run(dict(row)) for row in (await connection.execute(open_query())).mappings())

        return await transact(self._engine, work, timeout=self._timeout)

    async def move(
        self,
        run_id: UUID,
        expected: RunStatus,
        step: Step,
        *,
        attempt_id: UUID | None = None,
        certificate: DeathCertificate | None = None,
    ) -> Run | None:
        """See the port."""
        if certificate is not None and attempt_id is None:
            raise ValueError("a certificate needs the attempt that it is for")

        async def work(connection: AsyncConnection) -> Run | None:
            run, now = await lock_run(connection, run_id)
            if run.status is not expected or attempt_id not in (None, run.attempt_id):
                return None
            at = moment(run, now)
            transition = storable(step(run, at))
            if not await write_step(connection, transition):
                return None
            if attempt_id is not None and certificate is not None:
                await end_attempt(connection, attempt_id, at, storable(certificate))
            return transition.after

        return await transact(self._engine, work, timeout=self._timeout)

    async def record(self, event: Event) -> None:
        """See the port."""
        row = event_row(storable(event)) | {"at": NOW}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(tables.event.insert().values(row))

        await transact(self._engine, work, timeout=self._timeout)

    async def record_once(self, event: Event, *, identity: str) -> bool:
        """See the port."""
        row = event_row(storable(event)) | {"at": NOW}
        known = tables.event.c
        same = select(known.seq).where(
            known.tenant == row["tenant"],
            known.subject == row["subject"],
            known.kind == row["kind"],
            known.run_id.is_(None),  # so that the index of what belongs to no run serves
            known.data[identity].astext == row["data"][identity],
        )
        turn = func.pg_advisory_xact_lock(func.hashtextextended(f"{row['subject']} {row['data'][identity]}", 0))

        async def work(connection: AsyncConnection) -> bool:
            await connection.execute(select(turn))
            if (await connection.execute(same.limit(1))).first() is not None:
                return False
            await connection.execute(tables.event.insert().values(row))
            return True

        return await transact(self._engine, work, timeout=self._timeout)


def page_query(which: RunFilter, limit: int, before: tuple[datetime, UUID] | None) -> Select[Any]:
    """One row more than the page has, which tells whether another page follows.

    Of several states each is looked for on its own: an index has the newest of each in order, and of all of them
    together no index has. What is then sorted is no more than a page a state.
    """
    run = tables.run.c
    statuses = which.statuses
    if statuses is None or len(set(statuses)) == 1:
        return _ordered(_fitting(which, statuses[0] if statuses else None, before), tables.run, limit)
    if not statuses:
        return _ordered(select(tables.run).where(run.tenant == which.tenant, false()), tables.run, limit)
    parts = [
        _ordered(_fitting(which, status, before), tables.run, limit).subquery().select()
        for status in dict.fromkeys(statuses)
    ]
    all_of_them = union_all(*parts).subquery()
    return _ordered(select(all_of_them), all_of_them, limit)


def _fitting(which: RunFilter, status: RunStatus | None, before: tuple[datetime, UUID] | None) -> Select[Any]:
    run = tables.run.c
    query = select(tables.run).where(run.tenant == which.tenant)
    exact: dict[Any, object] = {
        run.pipeline: which.pipeline,
        run.status: status and str(status),
        run.actor: which.actor,
    }
    exact |= {run.trigger: which.trigger and str(which.trigger), run.retry_of: which.retry_of}
    exact |= {run.mode: which.mode and str(which.mode)}
    query = query.where(*(column == value for column, value in exact.items() if value is not None))
    if which.created_from is not None:
        query = query.where(run.created_at >= which.created_from)
    if which.created_until is not None:
        query = query.where(run.created_at < which.created_until)
    if which.parameters is not None:
        query = query.where(run.parameters.contains(which.parameters))
    if before is not None:
        query = query.where(tuple_(run.created_at, run.id) < tuple_(*before))
    return query


def _ordered(query: Select[Any], rows: FromClause, limit: int) -> Select[Any]:
    return query.order_by(rows.c.created_at.desc(), rows.c.id.desc()).limit(limit + 1)


def matching_query(part: Range, tenant: Tenant, limit: int) -> Select[Any]:
    """The ids of one range, in the order of its index."""
    if part.from_behind:
        key: Any = func.reverse(cast(tables.run.c.id, tables.run.c.pipeline.type)).collate("C")
        within = and_(key >= part.first, key < part.last)
    else:
        key = tables.run.c.id
        within = key.between(UUID(part.first), UUID(part.last))
    return select(tables.run.c.id).where(within, tables.run.c.tenant == tenant).order_by(key).limit(limit)


def open_query() -> Select[Any]:
    """All open runs with their newest attempt, and what the database's clock says of them.

    A database that was away must not make its attempts look dead: they could not renew their leases with it. So
    it has to be up for longer than the attempt's lease.
    """
    run, attempt = tables.run.c, tables.attempt.c
    lease = func.make_interval(0, 0, 0, 0, 0, 0, cast(attempt.lease, Double))
    expired = and_(
        attempt.ended_at.is_(None),
        attempt.lease_until < NOW,
        func.pg_postmaster_start_time() + lease < NOW,
    )
    late_start = and_(
        run.status.in_([str(RunStatus.PENDING), str(RunStatus.UNCERTAIN)]),
        run.started_at.is_(None),
        # While it waits in the queue nobody is late: its deadline counts from the launch.
        run.launch.is_distinct_from(str(Launch.DUE)),
        run.start_deadline_at < NOW,
    )
    late_launch = and_(run.status == str(RunStatus.PENDING), run.launch == str(Launch.DUE), run.start_deadline_at < NOW)
    return (
        select(
            tables.run,
            *(column.label(f"attempt_{column.name}_") for column in attempt),
            func.coalesce(expired, false()).label("lease_expired"),
            cast(func.extract("epoch", NOW - run.cancel_asked_at), Double).label("cancelling_for"),
            func.coalesce(run.run_deadline_at < NOW, false()).label("run_deadline_passed"),
            func.coalesce(late_start, false()).label("start_deadline_passed"),
            func.coalesce(late_launch, false()).label("launch_late"),
        )
        .select_from(tables.run.outerjoin(tables.attempt, attempt.id == run.attempt_id))
        .where(_IS_OPEN)
        .order_by(run.created_at, run.id)
    )


def _open_run(row: Row) -> OpenRun:
    attempt: Attempt | None = None
    if row["attempt_id_"] is not None:
        attempt = attempt_from({name: row[f"attempt_{name}_"] for name in Attempt.__struct_fields__})
    return OpenRun(
        run=run_from(row),
        attempt=attempt,
        lease_expired=row["lease_expired"],
        cancelling_for=row["cancelling_for"],
        run_deadline_passed=row["run_deadline_passed"],
        start_deadline_passed=row["start_deadline_passed"],
        launch_late=row["launch_late"],
    )
