"""The supervisor's RunLog, with asyncpg alone: a supervisor that starts in a fifth of a second imports no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from ...application.claims import (
    answer,
    asks_for_its_turn,
    belated,
    check_same,
    displaced,
    filed,
    moment,
    new_run,
    taken,
)
from ...application.ports.attempt_log import Beat, Claim, Claimed, Pulse
from ...domain.attempt import Attempt
from ...domain.conclusion import concluded
from ...domain.errors import AttemptNotFound, DatabaseUnavailable, PipelineBusy, RunMismatch
from ...domain.incident import IncidentTerms
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.outcome import Outcome
from ...domain.pause import Pause
from ...domain.run import Run, Transition
from ...domain.run_status import OPEN
from ...domain.storable import seconds, storable, storable_text
from ...domain.tenant import Tenant
from .failures import RUNLOG
from .rows import attempt_from, attempt_row, chunk_data, encode_json, run_from
from .session import Session
from .turns import take_turn, wait_for_turn
from .writing import end_attempt, insert, lock_run, write

_BEAT = """
WITH beaten AS (
    UPDATE public.attempt
    SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $2),
        progress = coalesce($3, progress), progress_text = coalesce($4, progress_text),
        memory = coalesce($5, memory), cpu_seconds = coalesce($6, cpu_seconds)
    WHERE id = $1 AND ended_at IS NULL
    RETURNING id
)
SELECT EXISTS (SELECT FROM beaten) AND run.attempt_id = attempt.id
         AND run.status IN ('running', 'uncertain', 'cancelling') AS current,
       run.status = 'cancelling' AS cancel_asked
FROM public.attempt JOIN public.run ON run.id = attempt.run_id
WHERE attempt.id = $1
"""

_NOTE = """
INSERT INTO public.note (attempt_id, seq, kind, data, at)
SELECT attempt_id, seq, kind, data::jsonb, clock_timestamp() - make_interval(secs => $5)
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS told (attempt_id, seq, kind, data)
ON CONFLICT DO NOTHING
"""

# Literals, so that the planner knows the partial index on open runs to fit.
_ANY_OPEN = "SELECT EXISTS (SELECT FROM public.run WHERE status IN (" + ", ".join(f"'{one}'" for one in OPEN) + "))"  # noqa: S608
_NOT_ENDED = "SELECT id FROM public.attempt WHERE run_id = $1 AND ended_at IS NULL"
_NEWEST_NUMBER = "SELECT max(number) FROM public.attempt WHERE run_id = $1"
_ATTEMPT = "SELECT * FROM public.attempt WHERE id = $1"
_PAUSED = """
SELECT * FROM public.pipeline_pause
WHERE tenant = $1 AND pipeline = $2 AND (until IS NULL OR until > clock_timestamp())
  AND NOT EXISTS (SELECT FROM public.attempt WHERE run_id = $3)
"""
_USUAL_TERMS = "DELETE FROM public.incident_terms WHERE tenant = $1 AND pipeline = $2"
_TERMS = """
INSERT INTO public.incident_terms AS kept (tenant, pipeline, incident_after, recover_after) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, pipeline) DO UPDATE
SET incident_after = excluded.incident_after, recover_after = excluded.recover_after
WHERE (kept.incident_after, kept.recover_after) <> (excluded.incident_after, excluded.recover_after)
"""
_FORGET = "DELETE FROM public.log_chunk WHERE attempt_id = $1 AND seq BETWEEN $2 AND $3"


class PostgresAttemptLog:
    """:class:`~kubescribe.application.ports.attempt_log.AttemptLog` over one connection.

    ``address`` is what :func:`asyncpg.connect` takes; behind a transaction-mode pooler it has
    ``statement_cache_size=0``. An instance belongs to one event loop; a heartbeat has its own.
    """

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def recall(self, run_id: UUID) -> Run | None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Run | None:
            row = await connection.fetchrow("SELECT * FROM public.run WHERE id = $1", run_id)
            return None if row is None else run_from(row)

        return await self._session.run(work)

    async def any_open(self) -> bool:
        """Whether some run has no verdict yet: a look that is cheap enough for every command of a laptop."""

        async def work(connection: asyncpg.Connection) -> bool:
            return bool(await connection.fetchval(_ANY_OPEN))

        return await self._session.run(work)

    async def paused(self, run_id: UUID, pipeline: str, *, tenant: Tenant) -> Pause | None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Pause | None:
            row = await connection.fetchrow(_PAUSED, tenant, storable_text(pipeline), run_id)
            return None if row is None else Pause(**{name: row[name] for name in Pause.__struct_fields__})

        return await self._session.run(work)

    async def claim(self, claim: Claim, *, ago: float = 0.0) -> Claimed:
        """See the port."""
        claim = storable(claim)
        answered = await self._session.run(lambda connection: _claim(connection, claim, ago))
        if isinstance(answered, PipelineBusy):  # raised here: what was written with it stays
            raise answered
        return answered

    async def beat(self, beat: Beat) -> Pulse:
        """See the port."""
        beat = storable(beat)

        async def work(connection: asyncpg.Connection) -> Pulse:
            row = await connection.fetchrow(
                _BEAT,
                beat.attempt_id,
                seconds(beat.lease),
                beat.progress,
                beat.progress_text,
                beat.memory,
                beat.cpu_seconds,
            )
            if row is None:
                raise AttemptNotFound(beat.attempt_id)
            return Pulse(current=row["current"], cancel_asked=row["cancel_asked"])

        return await self._session.run(work)

    async def note(self, notes: tuple[Note, ...], *, ago: float = 0.0) -> None:
        """See the port."""
        notes = storable(notes)
        columns = (
            [note.attempt_id for note in notes],
            [note.seq for note in notes],
            [str(note.kind) for note in notes],
            [encode_json(note.data) for note in notes],
        )

        async def work(connection: asyncpg.Connection) -> None:
            try:
                await connection.execute(_NOTE, *columns, seconds(ago))
            except asyncpg.ForeignKeyViolationError as error:
                raise AttemptNotFound(notes[0].attempt_id) from error

        if notes:
            await self._session.run(work)

    async def log(self, chunk: LogChunk, *, forget: tuple[int, int] | None = None) -> None:
        """See the port."""
        chunk = storable(chunk)
        row = {"attempt_id": chunk.attempt_id, "seq": chunk.seq, "data": chunk_data(chunk)}

        async def work(connection: asyncpg.Connection) -> None:
            try:
                await insert(connection, "log_chunk", row, once=True)
            except asyncpg.ForeignKeyViolationError as error:
                raise AttemptNotFound(chunk.attempt_id) from error
            if forget is not None:
                await connection.execute(_FORGET, chunk.attempt_id, *forget)

        await self._session.run(work)

    async def finish(self, attempt_id: UUID, outcome: Outcome, *, ago: float = 0.0) -> Run:
        """See the port."""
        outcome = storable(outcome)
        return await self._session.run(lambda connection: _finish(connection, attempt_id, outcome, ago))


async def _claim(connection: asyncpg.Connection, claim: Claim, ago: float) -> Claimed | PipelineBusy:
    if asks_for_its_turn(None, claim, ago):  # before any row is locked, so that no two wait for each other
        await take_turn(connection, claim)
    found = await lock_run(connection, claim.run_id)
    if found is None:
        clock: Any = await connection.fetchval("SELECT clock_timestamp()")
        # Somebody else may have made it since the look above: then this waits for them, and changes nothing.
        await write(connection, new_run(claim, clock - timedelta(seconds=seconds(ago))))
        found = await lock_run(connection, claim.run_id)
    if found is None:
        raise DatabaseUnavailable(RUNLOG, f"run {claim.run_id} was removed while it was claimed")
    run, now = found
    check_same(run, claim)
    if (known := await _attempt(connection, claim.attempt_id)) is not None:
        if known.run_id != run.id:
            raise RunMismatch(run.id, f"attempt {known.id} belongs to run {known.run_id}")
        return answer(run, known, now)
    newest = None if run.attempt_id is None else await _attempt(connection, run.attempt_id)
    number = 1 + int(await connection.fetchval(_NEWEST_NUMBER, run.id) or 0)
    why = belated(run, newest, claim, now=now, ago=ago)
    if why is not None:
        may_publish = run.may_publish
        run, attempt = filed(run, claim, why, number=number, now=now, ago=ago)
        await insert(connection, "attempt", attempt_row(attempt, seconds(claim.lease)))
        if run.may_publish is not may_publish:
            await connection.execute("UPDATE public.run SET may_publish = true WHERE id = $1", run.id)
        return answer(run, attempt, now)
    if asks_for_its_turn(run, claim, ago) and (busy := await wait_for_turn(connection, run, claim, now)) is not None:
        return busy
    at = moment(run, now, ago)
    step, attempt = taken(run, claim, number=number, at=at, now=now)
    for earlier in await connection.fetch(_NOT_ENDED, run.id):
        await end_attempt(connection, earlier["id"], at, displaced(claim, attempt.number))
    await insert(connection, "attempt", attempt_row(attempt, seconds(claim.lease)))
    await _write(connection, step)
    await _keep_terms(connection, run, claim.incidents)
    return answer(step.after, attempt, now)


async def _finish(connection: asyncpg.Connection, attempt_id: UUID, outcome: Outcome, ago: float) -> Run:
    attempt = await _attempt(connection, attempt_id)
    found = None if attempt is None else await lock_run(connection, attempt.run_id)
    if attempt is None or found is None:
        raise AttemptNotFound(attempt_id)
    run, now = found
    at = max(moment(run, now, ago), attempt.started_at)
    await end_attempt(connection, attempt_id, at, outcome.certificate)
    step = concluded(run, attempt_id, outcome, at=at)
    if step is None:
        return run
    await _write(connection, step)
    return step.after


async def _write(connection: asyncpg.Connection, step: Transition) -> None:
    if not await write(connection, step):
        # The row is locked and was just read: this is a fault of the database, not a lost race.
        raise AssertionError(f"run {step.after.id} changed under its own lock")


async def _keep_terms(connection: asyncpg.Connection, run: Run, terms: IncidentTerms) -> None:
    if terms == IncidentTerms():
        await connection.execute(_USUAL_TERMS, run.tenant, run.pipeline)
    else:
        await connection.execute(_TERMS, run.tenant, run.pipeline, terms.incident_after, terms.recover_after)


async def _attempt(connection: asyncpg.Connection, attempt_id: UUID) -> Attempt | None:
    row = await connection.fetchrow(_ATTEMPT, attempt_id)
    return None if row is None else attempt_from(row)
