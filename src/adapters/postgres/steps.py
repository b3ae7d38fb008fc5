"""Reading one run, and writing a run's steps, inside a transaction of SQLAlchemy's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.attempt import DeathCertificate
from ...domain.errors import RunNotFound
from ...domain.run import Run, Transition
from ...domain.tenant import Tenant
from . import tables
from .rows import certificate_json, event_row, run_from, run_row

NOW = func.clock_timestamp()

# Made once: with the values in it, a statement is taken apart at each use to see whether it is a known one.
_NEW_RUN = insert(tables.run).on_conflict_do_nothing()
_NEW_EVENT = tables.event.insert()


async def get_run(connection: AsyncConnection, run_id: UUID, tenant: Tenant | None) -> Run:
    """The run of this tenant (None: of any); raises :class:`RunNotFound`."""
    query = select(tables.run).where(tables.run.c.id == run_id)
    if tenant is not None:
        query = query.where(tables.run.c.tenant == tenant)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise RunNotFound(run_id)
    return run_from(dict(row))


async def lock_run(connection: AsyncConnection, run_id: UUID) -> tuple[Run, datetime]:
    """The run, held until the transaction ends, and the database's clock; raises :class:`RunNotFound`."""
    query = select(tables.run).where(tables.run.c.id == run_id).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise RunNotFound(run_id)
    # Read when the lock is held: a wait for it must not put the times out of order.
    return run_from(dict(row)), (await connection.execute(select(NOW))).scalar_one()


async def write_step(connection: AsyncConnection, step: Transition) -> bool:
    """Write a transition's two parts; False, and nothing written, if the run is not as it was before."""
    if step.before is None:
        written = await connection.execute(_NEW_RUN, run_row(step.after))
    else:
        before, after = run_row(step.before), run_row(step.after)
        changed = {name: value for name, value in after.items() if value != before[name]}
        written = await connection.execute(
            update(tables.run)
            .where(
                tables.run.c.id == step.before.id,
                tables.run.c.status == before["status"],
                tables.run.c.attempts == before["attempts"],  # RUNNING may follow RUNNING
            )
            .values(changed or {"status": after["status"]})
        )
    if written.rowcount != 1:
        return False
    await connection.execute(_NEW_EVENT, event_row(step.event))
    return True


async def end_attempt(
    connection: AsyncConnection, attempt_id: UUID, at: datetime, certificate: DeathCertificate
) -> None:
    """End the attempt unless it has ended, and give it the certificate unless it has one."""
    attempt = tables.attempt.c
    await connection.execute(
        update(tables.attempt)
        .where(attempt.id == attempt_id, attempt.certificate.is_(None))
        .values(
            ended_at=func.coalesce(attempt.ended_at, func.greatest(at, attempt.started_at)),
            certificate=certificate_json(certificate),
        )
    )
