"""RunLog for everybody but the supervisor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    Double,
    Insert,
    Select,
    Update,
    and_,
    cast,
    false,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.claims import moment
from ...application.ports.run_log import OpenRun, RunFilter, RunPage, Step
from ...domain.attempt import Attempt, DeathCertificate
from ...domain.errors import RunNotFound
from ...domain.event import Event
from ...domain.run import Run, Transition, created
from ...domain.run_status import OPEN, RunStatus
from ...domain.storable import seconds, storable
from . import tables
from .engine import transact
from .rows import Row, attempt_from, certificate_json, event_row, notice_row, run_from, run_row
from .shortened import Range, ranges

_NOW = func.clock_timestamp()
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
            now = (await connection.execute(select(_NOW))).scalar_one()
            deadline = None if start_deadline is None else now + timedelta(seconds=seconds(start_deadline))
            accepted = msgspec.structs.replace(run, created_at=now, start_deadline_at=deadline)
            if await _write(connection, created(accepted)):
                return accepted
            return await _get(connection, run.id)

        return await transact(self._engine, work, timeout=self._timeout)

    async def get(self, run_id: UUID) -> Run:
        """See the port."""
        return await transact(self._engine, lambda connection: _get(connection, run_id), timeout=self._timeout)

    async def find(self, which: RunFilter, *, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> RunPage:
        """See the port."""
        limit = max(1, limit)
        query = page_query(which, limit, before)

        async def work(connection: AsyncConnection) -> RunPage:
            runs = [run_from(dict(row)) for row in (await connection.execute(query)).mappings()]
            more = len(runs) > limit
            runs = runs[:limit]
            return RunPage(runs=tuple(runs), next=(runs[-1].created_at, runs[-1].id) if more else None)

        return await transact(self._engine, work, timeout=self._timeout)

    async def matching(self, prefix: str, *, limit: int = 5) -> tuple[UUID, ...]:
        """See the port."""

        async def work(connection: AsyncConnection) -> tuple[UUID, ...]:
            found: dict[UUID, None] = {}
            for part in ranges(prefix):
                for row in await connection.execute(matching_query(part, limit)):
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
            run, now = await _lock(connection, run_id)
            if run.status is not expected or attempt_id not in (None, run.attempt_id):
                return None
            at = moment(run, now)
            transition = storable(step(run, at))
            if not await _write(connection, transition):
                return None
            if attempt_id is not None and certificate is not None:
                await _end_attempt(connection, attempt_id, at, storable(certificate))
            return transition.after

        return await transact(self._engine, work, timeout=self._timeout)

    async def record(self, event: Event) -> None:
        """See the port."""
        row = event_row(storable(event)) | {"at": _NOW}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(tables.event.insert().values(row))

        await transact(self._engine, work, timeout=self._timeout)


def page_query(which: RunFilter, limit: int, before: tuple[datetime, UUID] | None) -> Select[Any]:
    """One row more than the page has, which tells whether another page follows."""
    run = tables.run.c
    query = select(tables.run).order_by(run.created_at.desc(), run.id.desc()).limit(limit + 1)
    if which.pipeline is not None:
        query = query.where(run.pipeline == which.pipeline)
    if which.statuses is not None:
        query = query.where(run.status.in_([str(status) for status in which.statuses]))
        if set(which.statuses) <= set(OPEN):
            query = query.where(_IS_OPEN if which.statuses else false())
    if before is not None:
        query = query.where(tuple_(run.created_at, run.id) < tuple_(*before))
    return query


def matching_query(part: Range, limit: int) -> Select[Any]:
    """The ids of one range, in the order of its index."""
    if part.from_behind:
        key: Any = func.reverse(cast(tables.run.c.id, tables.run.c.pipeline.type)).collate("C")
        return select(tables.run.c.id).where(and_(key >= part.first, key < part.last)).order_by(key).limit(limit)
    key = tables.run.c.id
    return select(key).where(key.between(UUID(part.first), UUID(part.last))).order_by(key).limit(limit)


def open_query() -> Select[Any]:
    """All open runs with their newest attempt, and what the database's clock says of them.

    A database that was away must not make its attempts look dead: they could not renew their leases with it. So
    it has to be up for longer than the attempt's lease.
    """
    run, attempt = tables.run.c, tables.attempt.c
    lease = func.make_interval(0, 0, 0, 0, 0, 0, cast(attempt.lease, Double))
    expired = and_(
        attempt.ended_at.is_(None),
        attempt.lease_until < _NOW,
        func.pg_postmaster_start_time() + lease < _NOW,
    )
    late_start = and_(
        run.status.in_([str(RunStatus.PENDING), str(RunStatus.UNCERTAIN)]),
        run.started_at.is_(None),
        run.start_deadline_at < _NOW,
    )
    return (
        select(
            tables.run,
            *(column.label(f"attempt_{column.name}_") for column in attempt),
            func.coalesce(expired, false()).label("lease_expired"),
            func.coalesce(run.run_deadline_at < _NOW, false()).label("run_deadline_passed"),
            func.coalesce(late_start, false()).label("start_deadline_passed"),
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
        run_deadline_passed=row["run_deadline_passed"],
        start_deadline_passed=row["start_deadline_passed"],
    )


async def _get(connection: AsyncConnection, run_id: UUID) -> Run:
    row = (await connection.execute(select(tables.run).where(tables.run.c.id == run_id))).mappings().first()
    if row is None:
        raise RunNotFound(run_id)
    return run_from(dict(row))


async def _lock(connection: AsyncConnection, run_id: UUID) -> tuple[Run, datetime]:
    query = select(tables.run).where(tables.run.c.id == run_id).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise RunNotFound(run_id)
    # Read when the lock is held: a wait for it must not put the times out of order.
    return run_from(dict(row)), (await connection.execute(select(_NOW))).scalar_one()


async def _write(connection: AsyncConnection, step: Transition) -> bool:
    """Write a transition's three parts; False, and nothing written, if the run is not as it was before."""
    statement: Insert | Update
    if step.before is None:
        statement = insert(tables.run).values(run_row(step.after)).on_conflict_do_nothing()
    else:
        before, after = run_row(step.before), run_row(step.after)
        changed = {name: value for name, value in after.items() if value != before[name]}
        statement = (
            update(tables.run)
            .where(
                tables.run.c.id == step.before.id,
                tables.run.c.status == before["status"],
                tables.run.c.attempts == before["attempts"],  # RUNNING may follow RUNNING
            )
            .values(changed or {"status": after["status"]})
        )
    if (await connection.execute(statement)).rowcount != 1:
        return False
    await connection.execute(tables.event.insert().values(event_row(step.event)))
    if step.notice is not None:
        await connection.execute(tables.outbox.insert().values(notice_row(step.notice)))
    return True


async def _end_attempt(
    connection: AsyncConnection, attempt_id: UUID, at: datetime, certificate: DeathCertificate
) -> None:
    attempt = tables.attempt.c
    await connection.execute(
        update(tables.attempt)
        .where(attempt.id == attempt_id, attempt.certificate.is_(None))
        .values(
            ended_at=func.coalesce(attempt.ended_at, func.greatest(at, attempt.started_at)),
            certificate=certificate_json(certificate),
        )
    )
