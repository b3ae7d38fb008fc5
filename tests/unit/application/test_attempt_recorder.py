"""The record follows the work, whatever becomes of RunLog meanwhile, and is complete and in order in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest
from tests.support.builders import a_claim, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.spool import MemorySpool
from kubescribe.application.attempt_recorder import AttemptRecorder
from kubescribe.application.ports.spool import Entry
from kubescribe.domain.errors import RunMismatch
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run_status import RunStatus

RUN, ATTEMPT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


class FullDisk(MemorySpool):
    """A spool that can keep nothing."""

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        pass


class World:
    def __init__(self, loop: asyncio.Runner, spool: MemorySpool | None = None) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase()
        self.log = MemoryAttemptLog(self.database)
        self.spool = spool or MemorySpool()
        self.recorder = AttemptRecorder(self.log, self.spool, ATTEMPT)

    def away(self) -> None:
        self.database.available = False

    def back(self) -> None:
        self.database.available = True

    def claim(self) -> bool:
        return self.loop.run(self.recorder.claim(a_claim(RUN, ATTEMPT))) is not None

    def note(self, number: int) -> None:
        note = Note(attempt_id=ATTEMPT, seq=number, kind=NoteKind.METRIC, data={"value": number})
        self.loop.run(self.recorder.note((note,)))

    def print(self, number: int, forget: tuple[int, int] | None = None) -> None:
        chunk = LogChunk(attempt_id=ATTEMPT, seq=number, lines=(LogLine(0.0, "out", f"line {number}"),))
        self.loop.run(self.recorder.log(chunk, forget))

    def finish(self) -> None:
        self.loop.run(self.recorder.finish(succeeded()))

    def catch_up(self) -> bool:
        return self.loop.run(self.recorder.catch_up())

    def status(self) -> RunStatus | None:
        run = self.database.runs.get(RUN)
        return run.status if run else None


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


STEPS: list[Callable[[World], object]] = [
    World.claim,
    lambda world: world.note(1),
    lambda world: world.print(1),
    lambda world: world.print(2),
    lambda world: world.note(2),
    lambda world: world.print(3, (2, 2)),
    World.finish,
]


def whole(world: World) -> None:
    """RunLog has it all, in its order."""
    database = world.database
    assert world.status() is RunStatus.SUCCEEDED
    assert sorted(seq for _, seq in database.notes) == [1, 2]
    assert sorted(seq for _, seq in database.chunks) == [1, 3]
    assert [event.kind for event in database.events] == ["run.created", "run.running", "run.succeeded"]
    assert database.attempts[ATTEMPT].certificate is not None
    assert world.spool.entries(ATTEMPT) == ()
    assert not world.recorder.behind


@pytest.mark.parametrize("gone", range(len(STEPS) + 1))
@pytest.mark.parametrize("back", range(len(STEPS) + 1))
@pytest.mark.parametrize("full", [False, True])
def test_runlog_may_be_away_at_any_step(loop: asyncio.Runner, gone: int, back: int, full: bool) -> None:
    world = World(loop, FullDisk() if full else None)
    for number, step in enumerate(STEPS):
        if number == gone:
            world.away()
        if number == back:
            world.back()
        step(world)
        # As the writer does before each of its writings.
        world.catch_up()
    world.back()
    assert world.catch_up()
    away = range(gone, back if back >= gone else len(STEPS))
    if full and away:
        # What no disk could keep is lost; that the run began and how it ended is not.
        assert world.status() is RunStatus.SUCCEEDED
        assert [event.kind for event in world.database.events] == ["run.created", "run.running", "run.succeeded"]
        assert {seq for _, seq in world.database.notes} <= {1, 2}
    else:
        whole(world)


def test_after_the_first_spooled_entry_all_wait_their_turn(world: World) -> None:
    world.claim()
    world.away()
    world.note(1)
    world.back()
    world.note(2)
    world.finish()
    assert world.recorder.behind
    assert world.database.notes == {}
    assert [type(entry).__name__ for entry in world.spool.entries(ATTEMPT)] == [
        "ClaimEntry",
        "NotesEntry",
        "NotesEntry",
        "FinishEntry",
    ]
    assert world.catch_up()
    assert sorted(seq for _, seq in world.database.notes) == [1, 2]
    assert world.status() is RunStatus.SUCCEEDED


def test_catching_up_in_vain_keeps_everything(world: World) -> None:
    world.away()
    assert not world.claim()
    world.note(1)
    before = world.spool.entries(ATTEMPT)
    assert not world.catch_up()
    assert world.spool.entries(ATTEMPT) == before
    assert world.recorder.behind


def test_the_recorder_knows_how_runlog_sees_the_run(world: World) -> None:
    world.away()
    world.claim()
    assert seen(world) is None
    world.back()
    world.catch_up()
    assert seen(world) is RunStatus.RUNNING
    world.finish()
    assert seen(world) is RunStatus.SUCCEEDED


def seen(world: World) -> RunStatus | None:
    return world.recorder.run.status if world.recorder.run else None


@pytest.mark.parametrize("closed", [False, True])
def test_a_claim_that_waited_may_have_come_too_late_for_the_run_but_not_for_the_record(
    world: World, closed: bool
) -> None:
    world.away()
    world.loop.run(world.recorder.claim(a_claim(RUN, ATTEMPT, fence=3)))
    world.note(1)
    world.back()
    world.loop.run(world.log.claim(a_claim(RUN, OTHER, fence=9)))
    if closed:
        world.loop.run(world.log.finish(OTHER, succeeded()))
    assert world.catch_up()
    world.finish()
    assert world.recorder.run is not None and world.recorder.run.attempt_id == OTHER
    assert world.status() is (RunStatus.SUCCEEDED if closed else RunStatus.RUNNING)
    assert (ATTEMPT, 1) in world.database.notes
    assert world.database.attempts[ATTEMPT].certificate == succeeded().certificate
    assert world.spool.entries(ATTEMPT) == ()


def test_a_claim_that_waited_may_be_refused(world: World) -> None:
    world.away()
    world.claim()
    world.note(1)
    world.back()
    world.loop.run(world.log.claim(a_claim(RUN, OTHER, pipeline="trains")))
    with pytest.raises(RunMismatch):
        world.catch_up()
    # Nobody will ever take it: it must not be offered again, neither by us nor by a later command.
    assert world.spool.entries(ATTEMPT) == ()
    assert world.catch_up()
    with pytest.raises(RunMismatch):
        world.finish()


def test_runlog_restored_from_before_the_claim_begins_the_record_again(world: World) -> None:
    world.claim()
    world.note(1)
    world.database.runs.clear()
    world.database.attempts.clear()
    world.note(2)
    world.finish()
    assert world.catch_up()
    assert world.status() is RunStatus.SUCCEEDED
    assert sorted(seq for _, seq in world.database.notes) == [1, 2]


def test_an_attempt_that_never_claimed_is_not_made_up(world: World) -> None:
    world.note(1)
    assert not world.catch_up()
    assert world.database.runs == {}


def test_how_long_ago_it_was_counts_from_the_spooling(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("kubescribe.application.attempt_recorder.time.time", lambda: now)
    world.away()
    world.claim()
    world.finish()
    now += 3600
    world.back()
    world.catch_up()
    run = world.database.runs[RUN]
    assert run.finished_at is not None
    assert (world.database.now() - run.finished_at).total_seconds() == pytest.approx(3600, abs=5)


def test_a_clock_that_was_set_back_means_just_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("kubescribe.application.attempt_recorder.time.time", lambda: now)
    world.away()
    world.claim()
    now -= 3600
    world.back()
    world.catch_up()
    run = world.database.runs[RUN]
    assert abs((world.database.now() - msgspec.structs.asdict(run)["started_at"]).total_seconds()) < 5
