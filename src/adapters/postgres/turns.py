"""Which run of a pipeline may be at work, where two may not: one claim after the other."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from ...application.claims import displacing, is_at_work, is_before, passed_over
from ...application.ports.attempt_log import Claim
from ...domain.concurrency import Concurrency
from ...domain.errors import PipelineBusy
from ...domain.run import Run
from ...domain.run_status import OPEN
from .rows import run_from
from .writing import lock_run, write

_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('kubescribe turn ' || $1 || '/' || $2, 0))"
# Literals, so that the planner knows the partial index on open runs to fit.
_OPEN = "SELECT * FROM public.run WHERE tenant = $1 AND pipeline = $2 AND status IN ("
_OPEN += ", ".join(f"'{one}'" for one in OPEN) + ")"


async def take_turn(connection: asyncpg.Connection, claim: Claim) -> None:
    """Let no other claim of the pipeline be decided until this transaction ends."""
    await connection.execute(_TURN, claim.tenant, claim.pipeline)


async def wait_for_turn(connection: asyncpg.Connection, run: Run, claim: Claim, now: datetime) -> PipelineBusy | None:
    """None: the run may be taken. Else what it has to wait for, and what the policy asks for is written."""
    forbid = claim.concurrency is Concurrency.FORBID
    its = [run_from(row) for row in await connection.fetch(_OPEN, run.tenant, run.pipeline)]
    before = [one for one in its if one.id != run.id and (is_at_work(one) if forbid else is_before(one, run, now))]
    if not before:
        return None
    others = tuple(one.id for one in before)
    if forbid:
        await write(connection, passed_over(run, others, now))
    elif claim.concurrency is Concurrency.REPLACE:
        for one in filter(is_at_work, before):
            found = await lock_run(connection, one.id)
            if found is not None and (step := displacing(found[0], run, found[1])) is not None:
                await write(connection, step)
    return PipelineBusy(run.id, others, skipped=forbid)
