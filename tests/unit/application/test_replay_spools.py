"""What ended supervisors left behind is told, and one that is refused stands in no other's way."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from tests.support.builders import a_claim, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.spool import MemorySpool
from kubescribe.application.ports.attempt_log import Beat
from kubescribe.application.ports.spool import ClaimEntry, Entry, FinishEntry, NotesEntry
from kubescribe.application.replay_spools import replay_spools
from kubescribe.domain.errors import DatabaseUnavailable
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run_status import RunStatus


class World:
    def __init__(self) -> None:
        self.database = MemoryRunLogDatabase()
        self.log = MemoryAttemptLog(self.database)
        self.spool = MemorySpool()

    def leave(self, attempt: int, *entries: Entry) -> UUID:
        attempt_id = UUID(int=attempt)
        for entry in entries:
            self.spool.append(attempt_id, entry)
        self.spool.end(attempt_id)
        return attempt_id

    def status(self, run: int) -> RunStatus:
        return self.database.runs[UUID(int=run)].status


def claim(run: int, attempt: int, fence: int | None = None, wall: float = 0.0) -> ClaimEntry:
    return ClaimEntry(wall, a_claim(UUID(int=run), UUID(int=attempt), fence=fence))


def finish(attempt: int) -> FinishEntry:
    return FinishEntry(0.0, UUID(int=attempt), succeeded())


@pytest.fixture
def world() -> World:
    return World()


def test_records_are_completed_and_forgotten(world: World, loop: asyncio.Runner) -> None:
    world.leave(10, claim(1, 10), finish(10))
    world.leave(20, claim(2, 20))
    assert loop.run(replay_spools(world.log, world.spool)) == ()
    assert (world.status(1), world.status(2)) == (RunStatus.SUCCEEDED, RunStatus.RUNNING)
    assert world.spool.leftover() == ()


def test_what_a_living_supervisor_holds_is_left_to_it(world: World, loop: asyncio.Runner) -> None:
    world.spool.append(UUID(int=10), claim(1, 10))
    assert loop.run(replay_spools(world.log, world.spool)) == ()
    assert world.database.runs == {}
    assert world.spool.entries(UUID(int=10)) != ()


def test_nothing_is_forgotten_before_runlog_has_it(world: World, loop: asyncio.Runner) -> None:
    attempt_id = world.leave(10, claim(1, 10), finish(10))
    world.database.available = False
    with pytest.raises(DatabaseUnavailable):
        loop.run(replay_spools(world.log, world.spool))
    assert world.spool.leftover() == (attempt_id,)
    world.database.available = True
    loop.run(replay_spools(world.log, world.spool))
    assert world.status(1) is RunStatus.SUCCEEDED


def test_what_was_decided_meanwhile_is_told_nevertheless(world: World, loop: asyncio.Runner) -> None:
    loop.run(world.log.claim(a_claim(UUID(int=1), UUID(int=91), fence=9)))
    loop.run(world.log.claim(a_claim(UUID(int=2), UUID(int=92))))
    loop.run(world.log.finish(UUID(int=92), succeeded()))
    loop.run(world.log.claim(a_claim(UUID(int=3), UUID(int=93))))
    world.leave(10, claim(1, 10, fence=3), finish(10))  # a newer attempt holds a newer fence
    world.leave(11, claim(2, 11), finish(11))  # the run has its verdict
    world.leave(12, claim(3, 12), finish(12))  # another attempt, without a fence either, works on the run
    events = list(world.database.events)
    assert loop.run(replay_spools(world.log, world.spool)) == ()
    assert [world.status(run) for run in (1, 2, 3)] == [RunStatus.RUNNING, RunStatus.SUCCEEDED, RunStatus.RUNNING]
    assert world.database.events == events
    for attempt in (10, 11, 12):
        recorded = world.database.attempts[UUID(int=attempt)]
        assert (recorded.number, recorded.certificate) == (2, succeeded().certificate)
    for attempt in (91, 93):
        assert loop.run(world.log.beat(Beat(attempt_id=UUID(int=attempt), lease=60))).current


def test_what_runlog_does_not_take_is_said_and_blocks_no_other(world: World, loop: asyncio.Runner) -> None:
    note = Note(attempt_id=UUID(int=13), seq=1, kind=NoteKind.NOTE, data={})
    loop.run(world.log.claim(a_claim(UUID(int=3), UUID(int=93), pipeline="other")))
    world.leave(12, claim(3, 12), finish(12))  # the run is another pipeline's
    world.leave(13, NotesEntry(0.0, (note,)))  # RunLog was restored from before the claim
    world.leave(14, claim(4, 14), finish(14))
    refusals = loop.run(replay_spools(world.log, world.spool))
    assert len(refusals) == 2
    for refusal, says in zip(refusals, ("run of other", "does not know"), strict=True):
        assert "came too late" in refusal and says in refusal
    assert world.status(4) is RunStatus.SUCCEEDED
    assert world.spool.leftover() == ()


def test_the_attempts_of_a_run_are_told_in_the_order_of_their_claims(world: World, loop: asyncio.Runner) -> None:
    # Ids of pods have no order.
    world.leave(30, claim(1, 30, wall=100.0), FinishEntry(150.0, UUID(int=30), failed(status=RunStatus.PENDING)))
    world.leave(10, claim(1, 10, wall=300.0), FinishEntry(350.0, UUID(int=10), succeeded()))
    world.leave(20, claim(1, 20, wall=200.0), FinishEntry(250.0, UUID(int=20), failed(status=RunStatus.PENDING)))
    assert loop.run(replay_spools(world.log, world.spool)) == ()
    numbers = {attempt.id.int: attempt.number for attempt in world.database.attempts.values()}
    assert numbers == {30: 1, 20: 2, 10: 3}
    assert world.status(1) is RunStatus.SUCCEEDED
    assert world.database.runs[UUID(int=1)].attempt_id == UUID(int=10)


def test_two_at_once_do_no_harm(world: World, loop: asyncio.Runner) -> None:
    world.leave(10, claim(1, 10), finish(10))

    async def both() -> None:
        await asyncio.gather(*(replay_spools(world.log, world.spool) for _ in range(3)))

    loop.run(both())
    assert [event.kind for event in world.database.events] == ["run.created", "run.running", "run.succeeded"]
