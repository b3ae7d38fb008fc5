"""A run, attempt after attempt, where databases come and go: use cases and memory adapters, no machine."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from tests.features.memory_world import MemoryWorld
from tests.features.world import Ended

from kubescribe import Context, pipeline
from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.application.attempt_end import Stop
from kubescribe.application.replay_spools import replay_spools
from kubescribe.domain.checks import CheckFailure
from kubescribe.domain.report import Staged

NUMBERS = pl.DataFrame({"id": [1, 2, 3]})


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def declared(world: MemoryWorld, function: object) -> str:
    world.registry.add(function)  # type: ignore[arg-type]
    return function.pipeline.name  # type: ignore[attr-defined,no-any-return]


def test_nobody_publishes_under_a_run_that_has_failed_though_runlog_was_away(world: MemoryWorld) -> None:
    fails = iter([True, False])

    @pipeline(name="flaky", reports=("numbers",))
    def flaky(run: Context) -> None:
        if next(fails):
            raise ValueError("the first time")
        run.report("numbers", NUMBERS)

    name, run_id = declared(world, flaky), world.ids.new()
    world.runlog.available = False
    assert world.run(name, {}, run_id=run_id).exit_code == 1
    # somebody tries again under the same id, while RunLog knows of nothing
    assert world.run(name, {}, run_id=run_id).exit_code == 78
    world.runlog.available = True
    replayed(world)
    assert world.runlog.runs[run_id].status == "failed"
    assert world.rows("numbers") is None
    assert world.ledger_of(run_id) == ()


def test_a_refused_claim_takes_nothing_from_who_works_on_the_run(world: MemoryWorld) -> None:
    outcomes: list[Ended] = []

    @pipeline(name="monthly", reports=("numbers",))
    def monthly(run: Context, month: int = 1) -> None:
        if month == 2:  # in the middle of the work somebody starts it again with another parameter
            thread = threading.Thread(
                target=lambda: outcomes.append(world.run("monthly", {"month": "3"}, run_id=run.run_id))
            )
            thread.start()
            thread.join()
        run.report("numbers", NUMBERS)

    ended = world.run(declared(world, monthly), {"month": "2"}, run_id=world.ids.new())
    assert [one.exit_code for one in outcomes] == [64]
    assert "other parameters" in outcomes[0].told
    assert ended.exit_code == 0, ended.told


def test_an_earlier_attempts_record_is_not_overtaken(world: MemoryWorld) -> None:
    tries = iter([1, 2])

    @pipeline(name="twice", reports=(), retries=1)
    def twice(run: Context) -> None:
        number = next(tries)
        run.note(f"attempt {number}")
        world.runlog.available = number == 2  # back in the middle of the second attempt
        if number == 1:
            raise ValueError("not yet")

    world.runlog.available = False
    ended = world.run(declared(world, twice), {})
    assert ended.exit_code == 0, ended.told
    assert ended.run_id is not None
    record = world.record(ended.run_id)
    assert record.run.status == "succeeded"
    assert [attempt.number for attempt in record.attempts] == [1, 2]
    assert [note.data["text"] for note in record.notes] == ["attempt 1", "attempt 2"]
    first, second = record.attempts
    assert first.certificate is not None and first.certificate.cause == "error"
    assert second.certificate is not None and second.certificate.cause is None


def test_checks_are_broken_off_at_the_deadline(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: object, staged: tuple[Staged, ...]) -> tuple[CheckFailure, ...]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    monkeypatch.setattr(MemoryPublisher, "check", never)

    @pipeline(name="checked", reports=("numbers",), run_deadline=0.5)
    def checked(run: Context) -> None:
        run.report("numbers", NUMBERS)

    ended = world.run(declared(world, checked), {})
    assert ended.exit_code == 1
    assert ended.run_id is not None
    run = world.record(ended.run_id).run
    assert (run.status, run.cause) == ("failed", "run_deadline")
    assert run.duration is not None and run.duration >= 0.5, "from the attempt's start to its end, checks included"
    assert world.rows("numbers") is None


def test_asked_to_end_between_two_attempts_nothing_begins_again(world: MemoryWorld) -> None:
    begun = []

    @pipeline(name="again", reports=(), retries=3, retry_delay=3600)
    def again(run: Context) -> None:
        begun.append(run.attempt_id)
        raise ValueError("not yet")

    ended = world.run(declared(world, again), {}, stop_in_wait=(Stop.TERMINATED, 15))
    assert len(begun) == 1
    assert ended.exit_code == 143
    assert ended.run_id is not None
    run = world.record(ended.run_id).run
    assert (run.status, run.cause) == ("failed", "signal")


def test_a_command_that_is_refused_never_begins(world: MemoryWorld, tmp_path: object) -> None:
    marker = f"{tmp_path}/lines"
    command = ["sh", "-c", f"echo line >> {marker}"]
    first = world.wrap(command, run_id=world.ids.new())
    assert first.exit_code == 0, first.told
    assert world.wrap(command, run_id=first.run_id).exit_code == 0, "it has succeeded already"
    with open(marker) as lines:
        assert lines.read() == "line\n"


def test_a_worker_that_never_declares_itself_is_ended_and_recorded(world: MemoryWorld) -> None:
    class Silent:
        """Imports for ever."""

        def __init__(self) -> None:
            self.gone = asyncio.Event()

        async def start(self, *, run_id: UUID, attempt_id: UUID) -> None: ...

        async def words(self):  # type: ignore[no-untyped-def]
            from kubescribe.application.ports.payload import Ended as Gone

            await self.gone.wait()
            yield Gone(exit_code=-15)

        async def assign(self, assignment: object) -> None: ...

        def usage(self):  # type: ignore[no-untyped-def]
            raise AssertionError("it never began")

        @property
        def over(self) -> bool:
            return self.gone.is_set()

        def terminate(self) -> None:
            self.gone.set()

        kill = terminate

    ended = world.execute("silent", lambda: Silent(), declare_within=0.2)
    assert ended.exit_code == 1
    assert ended.run_id is not None
    run = world.record(ended.run_id).run
    assert (run.status, run.cause) == ("failed", "start_deadline")
    assert "did not declare" in (run.message or "")


def replayed(world: MemoryWorld) -> None:
    for attempt_id in list(world.spool._entries):
        world.spool.end(attempt_id)
    asyncio.run(replay_spools(MemoryAttemptLog(world.runlog), world.spool))


def test_one_that_published_while_the_next_took_its_fence_is_not_called_fenced(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the ledger and the fence there is a moment in which the other attempt may commit."""
    outcomes: list[Ended] = []
    looked, committed, held = threading.Event(), threading.Event(), threading.Event()
    take = MemoryFences.take

    async def later(self: MemoryFences, run_id: UUID, attempt_id: UUID) -> int:
        if threading.current_thread() is not threading.main_thread():
            looked.set()
            assert committed.wait(20)
        return await take(self, run_id, attempt_id)

    commit = MemoryPublisher.publish

    async def first(self: MemoryPublisher, *given: Any) -> Any:
        published = await commit(self, *given)
        if threading.current_thread() is threading.main_thread():
            committed.set()
            assert held.wait(20)  # and says so to RunLog only after the other has claimed the run
        return published

    monkeypatch.setattr(MemoryFences, "take", later)
    monkeypatch.setattr(MemoryPublisher, "publish", first)

    @pipeline(name="nightly", reports=("numbers",))
    def nightly(run: Context) -> None:
        if not outcomes and not looked.is_set():
            thread.start()
            assert looked.wait(20)
        run.report("numbers", NUMBERS)

    def again() -> None:
        outcomes.append(world.run("nightly", {}, run_id=run_id))
        held.set()

    thread, run_id = threading.Thread(target=again), world.ids.new()
    ended = world.run(declared(world, nightly), {}, run_id=run_id)
    thread.join()
    assert (ended.exit_code, [one.exit_code for one in outcomes]) == (0, [0])
    attempts = world.record(run_id).attempts
    assert world.runlog.runs[run_id].status == "succeeded"
    first_ended, second_ended = (one.certificate for one in attempts)
    assert first_ended is not None and "the run had published" in (first_ended.message or "")
    assert second_ended is not None and second_ended.cause is None
