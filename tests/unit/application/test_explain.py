"""Why a run or a pipeline is as it is: every state has a sentence, and every trouble a next step."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.support.builders import LONG_AGO, a_claim, a_run, failed

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.application.describe_pipeline import DescribePipeline
from kubescribe.application.explain_pipeline import ExplainPipeline
from kubescribe.application.explain_run import ExplainRun
from kubescribe.domain.errors import RunNotFound
from kubescribe.domain.explanation import Explanation
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.launch import Launch
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.slot import Slot, SlotReason, SlotVerdict

RUN, ATTEMPT = UUID(int=1), UUID(int=11)
HOURLY = Pipeline(name="flights", schedule="0 * * * *", start_deadline=300)


class World:
    def __init__(self, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase(LONG_AGO)
        self.run_log, self.pauses = MemoryRunLog(self.database), MemoryPauses(self.database)
        self.log, self.slots = MemoryAttemptLog(self.database), MemorySlots(self.database)

    def put(self, number: int = 1, **changes: Any) -> None:
        run = a_run(UUID(int=number), **{"created_at": self.database.now(), **changes})
        self.database.runs[run.id] = run

    def missed(self, *hours: int) -> None:
        """Slots that were missed so many hours ago."""
        for hour in hours:
            at = LONG_AGO.replace(microsecond=0) - timedelta(hours=hour)
            self.database.slots[UUID(int=100 + hour)] = Slot(
                id=UUID(int=100 + hour),
                pipeline="flights",
                logical=f"{at}",
                at=at,
                window_ends=at,
                verdict=SlotVerdict.MISSED,
                reason=SlotReason.CONTROLLER_AWAY,
                detail="nobody was there",
            )

    def change(self, **changes: Any) -> None:
        self.database.runs[RUN] = msgspec.structs.replace(self.database.runs[RUN], **changes)

    def claimed(self) -> None:
        self.loop.run(self.log.claim(a_claim(RUN, ATTEMPT)))

    def run(self, **how: Any) -> Explanation:
        explain = ExplainRun(run_log=self.run_log, history=MemoryRunHistory(self.database))
        return self.loop.run(explain(RUN, **{"now": self.database.now(), **how}))

    def pipeline(self, pipeline: Pipeline = HOURLY) -> Explanation:
        describe = DescribePipeline(run_log=self.run_log)
        explain = ExplainPipeline(describe=describe, pauses=self.pauses, slots=self.slots)
        return self.loop.run(explain(pipeline, now=self.database.now()))


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


LATER = LONG_AGO + timedelta(minutes=5)
STATES: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "queued": (
        {"launch": Launch.DUE, "message": "8 are at work"},
        "It waits: 8 are at work",
        "kubescribe runs --status running",
    ),
    "not launched": ({"launch": Launch.DUE}, "no supervisor has been started", "kubescribe reconcile"),
    "launched": (
        {"launch": Launch.STARTED, "start_deadline_at": LATER},
        "Its supervisor has not taken it yet; it has until 12:05:00 UTC",
        None,
    ),
    "too late": (
        {"created_at": LONG_AGO - timedelta(2), "start_deadline_at": LONG_AGO - timedelta(1)},
        "before its start deadline",
        "kubescribe reconcile",
    ),
    "uncertain": (
        {"status": RunStatus.UNCERTAIN, "message": "the report database is away"},
        "cannot be read: the report database is away",
        "kubescribe reconcile",
    ),
    "cancelling": (
        {"status": RunStatus.CANCELLING, "message": "cancelled by user:ann"},
        "not seen gone yet (cancelled by user:ann)",
        "kubescribe reconcile",
    ),
    "succeeded": ({"status": RunStatus.SUCCEEDED}, "It has succeeded", None),
    "rehearsed": (
        {"status": RunStatus.SUCCEEDED, "mode": RunMode.REHEARSE},
        "It was rehearsed, and published nothing",
        None,
    ),
    "paused": (
        {"status": RunStatus.SKIPPED, "skip_reason": SkipReason.PAUSED, "message": "paused by user:ann"},
        "It did not run: paused by user:ann",
        "kubescribe resume flights",
    ),
    "second of a fold": (
        {"status": RunStatus.SKIPPED, "skip_reason": SkipReason.DST, "message": "02:30 came twice"},
        "It did not run: 02:30 came twice",
        f"kubescribe retry {RUN}",
    ),
    "superseded": (
        {"status": RunStatus.SKIPPED, "skip_reason": SkipReason.SUPERSEDED, "message": "newer"},
        "It had nothing to do: newer",
        None,
    ),
    "cancelled": (
        {"status": RunStatus.CANCELLED, "message": "cancelled by user:ann"},
        "Somebody wanted it to end",
        f"kubescribe retry {RUN}",
    ),
    "lost": ({"status": RunStatus.LOST, "message": "gone"}, "It was lost: gone", f"kubescribe retry {RUN}"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state(world: World, name: str) -> None:
    changes, says, step = STATES[name]
    world.put(**changes)
    found = world.run()
    assert says in found.sentence
    assert (found.subject, found.next_step) == (f"run:{RUN}", step)
    assert found.facts[0].text == "it was made by user:ann (manual)"


@pytest.mark.parametrize("cause", FailureCause)
def test_every_cause_of_a_failure_has_words_and_a_step(world: World, cause: FailureCause) -> None:
    world.put(status=RunStatus.FAILED, cause=cause, message="the very message")
    found = world.run()
    assert found.sentence.startswith("It failed, because ") and "the very message" in found.sentence
    assert found.next_step is not None and found.next_step.startswith("kubescribe ")
    assert "{" not in found.next_step


def test_at_work_silent_and_late(world: World) -> None:
    world.put()
    world.claimed()
    world.database.advance(30)
    found = world.run()
    assert found.sentence == "Attempt 1 has been at work for 30s"
    assert found.next_step == f"kubescribe logs {RUN} --follow"
    world.database.advance(31)
    assert "is silent: its lease was over at 12:01:00 UTC" in world.run().sentence
    world.change(run_deadline_at=LONG_AGO)
    attempt = world.database.attempts[ATTEMPT]
    lease = world.database.now() + timedelta(minutes=1)
    world.database.attempts[ATTEMPT] = msgspec.structs.replace(attempt, lease_until=lease, progress=0.25)
    assert world.run().sentence.startswith("It is late: its run deadline has passed") and "25%" in world.run().sentence


def test_the_evidence_is_in_the_order_of_time(world: World) -> None:
    world.put(reason="audit", retry_of=UUID(int=7), slot=LONG_AGO)
    world.claimed()
    world.database.advance(10)
    world.loop.run(world.log.finish(ATTEMPT, failed(message="no rates")))
    found = world.run()
    times = [fact.at for fact in found.facts if fact.at is not None]
    assert times == sorted(times) and len(times) == 4
    texts = [fact.text for fact in found.facts]
    assert "attempt 1 ended (error): no rates" in texts and "the reason given: audit" in texts
    assert f"it repeats run {UUID(int=7)}" in texts


def test_another_tenants_run_is_not_there(world: World) -> None:
    world.put()
    with pytest.raises(RunNotFound):
        world.run(tenant="other")


def an_end(status: RunStatus, at: datetime, **changes: Any) -> dict[str, Any]:
    return {"status": status, "created_at": at, "finished_at": at, "duration": 60.0, **changes}


class TestPipeline:
    def test_paused(self, world: World) -> None:
        world.loop.run(world.pauses.pause("flights", actor="user:ann", reason="wrong rates"))
        found = world.pipeline()
        assert found.sentence.startswith("It lets its slots go by: pipeline flights is paused since 2020-02-29 12:00")
        assert found.next_step == "kubescribe resume flights"

    def test_never_run(self, world: World) -> None:
        assert "its first slot is still to come" in world.pipeline().sentence
        asked = world.pipeline(Pipeline(name="flights"))
        assert asked.sentence == "It has never run: it runs when somebody asks"
        assert asked.next_step == "kubescribe trigger flights"

    def test_waiting_and_at_work(self, world: World) -> None:
        world.put(1, status=RunStatus.RUNNING)
        assert world.pipeline().sentence == f"It is at work: run {UUID(int=1)}"
        world.put(2)
        found = world.pipeline()
        assert found.sentence == f"Run {UUID(int=2)} of it is pending"
        assert found.next_step == f"kubescribe explain {UUID(int=2)}"

    def test_failing(self, world: World) -> None:
        world.put(1, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=3)))
        for number in (2, 3):
            when = LONG_AGO - timedelta(hours=4 - number)
            world.put(number, **an_end(RunStatus.FAILED, when, cause=FailureCause.ERROR, message="no rates\nat all"))
        found = world.pipeline()
        assert found.sentence == (
            "Each of its last 2 runs failed (error: no rates); it last succeeded at 2020-02-29 09:00 UTC"
        )
        assert found.next_step == f"kubescribe explain {UUID(int=3)}"
        assert "33% of its last 3 runs that came to a result succeeded" in [fact.text for fact in found.facts]

    def test_a_rehearsal_says_nothing_of_how_it_does(self, world: World) -> None:
        world.put(9, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=5)), mode=RunMode.REHEARSE)
        assert world.pipeline().sentence == "It was rehearsed and has never run: its first slot is still to come"
        world.put(1, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=3)))
        world.put(2, **an_end(RunStatus.FAILED, LONG_AGO - timedelta(hours=2), cause=FailureCause.ERROR, message="x"))
        world.put(3, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=1)), mode=RunMode.REHEARSE)
        found = world.pipeline()
        assert found.sentence == "Its last run failed (error: x); it last succeeded at 2020-02-29 09:00 UTC"
        assert "50% of its last 2 runs that came to a result succeeded" in [fact.text for fact in found.facts]

    def test_a_rehearsal_fills_no_slot(self, world: World) -> None:
        world.put(1, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=3), slot=LONG_AGO - timedelta(hours=3)))
        world.put(2, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(minutes=20)), mode=RunMode.REHEARSE)
        world.missed(1, 2, 4)
        assert world.pipeline().sentence.startswith("It has not run for its last 2 slots")

    def test_slots_without_a_run(self, world: World) -> None:
        world.put(1, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(hours=3), slot=LONG_AGO - timedelta(hours=3)))
        assert world.pipeline().sentence.startswith("It does what it should"), "the ledger knows, and nobody else"
        world.missed(1, 2, 4)
        found = world.pipeline()
        assert found.sentence == (
            "It has not run for its last 2 slots: nothing came at 2020-02-29 11:00 UTC "
            "(controller_away: nobody was there)"
        )
        assert "a slot without a run (controller_away)" in [fact.text for fact in found.facts]
        assert found.next_step == "kubescribe trigger flights --slot 2020-02-29T11:00:00+00:00"

    def test_all_is_well(self, world: World) -> None:
        world.put(1, **an_end(RunStatus.SUCCEEDED, LONG_AGO - timedelta(minutes=5)))
        found = world.pipeline()
        assert found.sentence.startswith("It does what it should") and found.next_step is None
        assert "half of them take up to 1m, nine of ten up to 1m" in [fact.text for fact in found.facts]
