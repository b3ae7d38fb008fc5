"""What the in-memory RunLog can do beside its ports: be away, and serve several threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.domain.errors import DatabaseUnavailable
from tests.support.builders import LONG_AGO, a_claim


def test_its_clock_stands_still_until_it_is_moved() -> None:
    database = MemoryRunLogDatabase(LONG_AGO)
    assert database.now() == LONG_AGO
    database.advance(1.5)
    assert (database.now() - LONG_AGO).total_seconds() == 1.5


def test_while_it_is_away_nothing_changes(loop: asyncio.Runner) -> None:
    database = MemoryRunLogDatabase()
    log, run_log = MemoryAttemptLog(database), MemoryRunLog(database)
    database.available = False
    for call in (log.claim(a_claim(UUID(int=1), UUID(int=2))), run_log.open_runs()):
        with pytest.raises(DatabaseUnavailable, match="RunLog"):
            loop.run(call)
    database.available = True
    assert loop.run(run_log.open_runs()) == ()
    assert loop.run(log.claim(a_claim(UUID(int=1), UUID(int=2)))).attempt.number == 1


def test_after_a_restart_no_lease_is_over_before_it_could_be_renewed(loop: asyncio.Runner) -> None:
    database = MemoryRunLogDatabase(LONG_AGO)
    run_log = MemoryRunLog(database)
    loop.run(MemoryAttemptLog(database).claim(a_claim(UUID(int=1), UUID(int=2), lease=60)))
    database.advance(3600)
    database.restart()
    for seconds, expired in ((0, False), (59, False), (2, True)):
        database.advance(seconds)
        assert loop.run(run_log.open_runs())[0].lease_expired is expired


def test_threads_with_loops_of_their_own_take_turns() -> None:
    database = MemoryRunLogDatabase()

    def claim(number: int) -> None:
        for attempt in range(20):
            asyncio.run(MemoryAttemptLog(database).claim(a_claim(UUID(int=1), UUID(int=1000 * number + attempt + 2))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(claim, range(8)))
    attempts = asyncio.run(MemoryRunHistory(database).attempts(UUID(int=1)))
    assert [attempt.number for attempt in attempts] == list(range(1, 161))
    assert [attempt.id for attempt in attempts if attempt.ended_at is None] == [database.runs[UUID(int=1)].attempt_id]
