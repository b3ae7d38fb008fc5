"""Statements on RunLog's tables, for asyncpg."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from ...domain.attempt import DeathCertificate
from ...domain.run import Run, Transition
from .rows import certificate_json, encode_json, event_row, run_from, run_row

_LOCK = """
WITH locked AS MATERIALIZED (SELECT * FROM public.run WHERE id = $1 FOR UPDATE)
SELECT locked.*, clock_timestamp() AS now FROM locked
"""  # the clock is read when the lock is held: a wait for it must not put the times out of order

_PROVISIONAL = "coalesce((certificate ->> 'provisional')::boolean, false)"
_END = f"""
UPDATE public.attempt
SET ended_at = CASE WHEN ended_at IS NULL OR {_PROVISIONAL} THEN greatest($2, started_at) ELSE ended_at END,
    certificate = CASE WHEN certificate IS NULL OR {_PROVISIONAL} THEN $3::jsonb ELSE certificate END
WHERE id = $1 AND (ended_at IS NULL OR certificate IS NULL OR {_PROVISIONAL})
"""  # noqa: S608 - our own names


async def lock_run(connection: asyncpg.Connection, run_id: UUID) -> tuple[Run, datetime] | None:
    """The run, held until the transaction ends, and the database's clock."""
    row = await connection.fetchrow(_LOCK, run_id)
    return None if row is None else (run_from(row), row["now"])


async def write(connection: asyncpg.Connection, step: Transition) -> bool:
    """Write a transition's two parts; False, and nothing written, if the run is not as it was before."""
    if not await _write_run(connection, step):
        return False
    await insert(connection, "event", event_row(step.event))
    return True


async def end_attempt(
    connection: asyncpg.Connection, attempt_id: UUID, at: datetime, certificate: DeathCertificate
) -> None:
    """End the attempt unless it has ended, and give it the certificate unless it has one of its own."""
    await connection.execute(_END, attempt_id, at, encode_json(certificate_json(certificate)))


async def insert(connection: asyncpg.Connection, table: str, row: Mapping[str, Any], *, once: bool = False) -> bool:
    """Insert a row; with ``once`` False is the answer where its key is there already."""
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    statement = f"INSERT INTO public.{table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608 - our own names
    tag = await connection.execute(statement + " ON CONFLICT DO NOTHING" * once, *_values(row))
    return bool(tag == "INSERT 0 1")


async def _write_run(connection: asyncpg.Connection, step: Transition) -> bool:
    after = run_row(step.after)
    if step.before is None:
        return await insert(connection, "run", after, once=True)
    before = run_row(step.before)
    changed = {name: value for name, value in after.items() if value != before[name]} or {"status": after["status"]}
    settings = ", ".join(f"{name} = ${place}" for place, name in enumerate(changed, 4))
    tag = await connection.execute(
        f"UPDATE public.run SET {settings} WHERE id = $1 AND status = $2 AND attempts = $3",  # noqa: S608 - our own names
        step.before.id,
        before["status"],
        before["attempts"],  # RUNNING may follow RUNNING: another attempt took the run
        *_values(changed),
    )
    return bool(tag == "UPDATE 1")


def _values(row: Mapping[str, Any]) -> list[Any]:
    return [encode_json(value) if isinstance(value, dict) else value for value in row.values()]
