"""Promises are looked at by somebody who is alive: a run that never began, or never ends, breaks them too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import polars as pl
import pytest
from tests.support.builders import a_claim, failed, succeeded
from tests.support.publishing import small
from tests.support.report_worlds import memory_world

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.incidents import MemoryIncidents
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.promises import MemoryPromiseBook
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.application.keep_promises import KeepPromises, PromisesKept
from kubescribe.application.ports.incidents import IncidentFilter
from kubescribe.application.ports.slots import Decision, Planned, PlanSource, SlotPlan
from kubescribe.domain.errors import DatabaseUnavailable
from kubescribe.domain.incident import Incident, IncidentKind
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.promise import Judgement, Promises
from kubescribe.domain.slot import Slot, SlotReason, SlotState, SlotVerdict, slot_id

T = TypeVar("T")
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Reports(MemoryReportDatabase):
    """By the other database's clock."""

    clock: MemoryRunLogDatabase

    def now(self) -> datetime:
        return self.clock.now()


class Watch:
    """A pipeline that promises, and somebody who looks."""

    def __init__(self, catalogue: bool = True, **promised: Any) -> None:
        self.database = MemoryRunLogDatabase(now=MIDNIGHT)
        self.ids = MemoryIds()
        self.attempts, self.slots = MemoryAttemptLog(self.database), MemorySlots(self.database)
        self.pauses, self.incidents = MemoryPauses(self.database), MemoryIncidents(self.database)
        self.reports = Reports()
        self.reports.clock = self.database
        self.publishing = memory_world(self.reports)
        self.pipeline = Pipeline(
            name="sales", schedule="0 5 * * *", timezone="Europe/Berlin", promises=Promises(**promised)
        )
        self.book = MemoryPromiseBook(self.database)
        self.new_process(catalogue)
        self.look()

    def new_process(self, catalogue: bool = True) -> None:
        self.keep = KeepPromises(
            tenant="default",
            book=self.book,
            slots=self.slots,
            pauses=self.pauses,
            catalogue=MemoryReportCatalogue(self.reports) if catalogue else None,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def look(self, after: timedelta = timedelta()) -> PromisesKept:
        self.database.advance(after.total_seconds())
        return self.run(self.keep([self.pipeline]))

    def plan(self, *hours: float, until: float = 1000.0) -> list[Slot]:
        """Slots at these hours after the beginning."""
        slots = []
        for hour in hours:
            at = MIDNIGHT + hour * HOUR
            key = slot_id("default", "sales", at.isoformat())
            slots.append(
                Slot(id=key, pipeline="sales", logical=at.isoformat(), at=at, window_ends=at + timedelta(minutes=1))
            )
        plan = SlotPlan(
            tenant="default",
            pipeline="sales",
            source=PlanSource.DECLARED,
            rule="x",
            planned_until=MIDNIGHT + until * HOUR,
        )
        self.run(self.slots.plan([Planned(plan=plan, slots=tuple(slots))]))
        return slots

    def begin(self, slot: Slot | None = None) -> UUID:
        claim = a_claim(self.ids.new(), self.ids.new(), pipeline="sales", slot=slot.at if slot else None)
        self.run(self.attempts.claim(claim))
        return claim.attempt_id

    def end(self, attempt_id: UUID, *, well: bool = True) -> None:
        self.run(self.attempts.finish(attempt_id, succeeded() if well else failed()))

    def do(self, slot: Slot | None = None) -> None:
        self.end(self.begin(slot))

    def found(self, kind: IncidentKind) -> list[Incident]:
        found = self.run(self.incidents.find(IncidentFilter(open=None)))
        return [one for one in reversed(found) if one.kind is kind]

    def kept(self) -> list[tuple[str, int, int]]:
        told = self.run(self.book.attainment("default", "sales", since=date(2026, 1, 1)))
        return [(str(one.day), one.kept, one.promised) for one in told]


FINISH = IncidentKind.FINISH_BY
FIVE = 4.0  # hours of UTC to five o'clock in Berlin


def test_a_slot_that_is_done_in_time_keeps_its_promise() -> None:
    watch = Watch(finish_at="07:00")
    (slot,) = watch.plan(FIVE)
    assert watch.look(5 * HOUR).judged == ()
    watch.do(slot)
    assert watch.look().judged == (), "it is not due yet"
    (one,) = watch.look(HOUR).judged
    assert (one.kept, one.promise.due_at) == (True, MIDNIGHT + 6 * HOUR)
    assert watch.found(FINISH) == [] and watch.kept() == [("2026-03-02", 1, 1)]
    assert watch.look(DAY).judged == ()


def test_what_was_looked_at_by_a_clock_that_was_ahead_is_looked_at_again() -> None:
    watch = Watch(finish_at="07:00", run_at_most=60.0)
    watch.plan(until=100_000)
    watch.look(300 * DAY)
    watch.look(-300 * DAY)
    watch.plan(FIVE, until=100_000)
    watch.look(5 * HOUR)
    watch.begin()
    judged = watch.look(20 * HOUR).judged
    assert {(one.promise.kind, one.kept) for one in judged} == {(FINISH, False), (RUNS, False)}


def test_a_slot_of_which_nothing_ever_ran_breaks_it() -> None:
    watch = Watch(finish_at="07:00")
    watch.plan(FIVE, FIVE + 24)
    assert watch.look(6 * HOUR).judged == (), "it is due, and the minute is not over"
    (one,) = watch.look(timedelta(seconds=1)).judged
    assert one.why == ("slot 2026-03-02 05:00 CET was promised to be done by 2026-03-02 07:00 CET; it is not done yet")
    (incident,) = watch.found(FINISH)
    assert incident.is_open and incident.why == one.why
    assert watch.look(HOUR).judged == () and watch.found(FINISH)[0].count == 1


def test_it_is_kept_again_by_the_next_slot() -> None:
    watch = Watch(finish_at="07:00")
    _, second = watch.plan(FIVE, FIVE + 24)
    watch.look(7 * HOUR)
    watch.look(22 * HOUR)
    watch.do(second)
    watch.look()
    (incident,) = watch.found(FINISH)
    assert not incident.is_open and watch.kept() == [("2026-03-02", 0, 1), ("2026-03-03", 1, 1)]


def test_a_slot_that_was_done_too_late_is_told_so_by_who_comes_later_still() -> None:
    watch = Watch(finish_after=3600.0)
    (slot,) = watch.plan(FIVE)
    watch.database.advance(6 * 3600)
    watch.do(slot)
    (one,) = watch.look(HOUR).judged
    assert one.kept is False and (one.why or "").endswith("it was done at 2026-03-02 07:00 CET")


def test_what_a_later_slot_has_done_is_done() -> None:
    watch = Watch(finish_after=7200.0)
    _first, second = watch.plan(FIVE, FIVE + 1)
    watch.look((FIVE + 1) * HOUR + timedelta(minutes=1))
    watch.do(second)
    assert [one.kept for one in watch.look(2 * HOUR).judged] == [True, True]


def test_slots_from_before_the_promise_were_never_promised() -> None:
    watch = Watch(run_at_most=60.0)
    watch.plan(1.0, 2.0)
    watch.database.advance(3 * 3600)
    watch.pipeline = Pipeline(name="sales", schedule="0 5 * * *", promises=Promises(finish_after=60.0))
    watch.look()
    assert watch.look(HOUR).judged == ()


def test_nothing_is_passed_over_while_nobody_looked_or_the_ledger_lagged() -> None:
    watch = Watch(finish_after=60.0)
    watch.plan(1.0, until=1.5)
    assert [one.kept for one in watch.look(5 * HOUR).judged] == [False]
    watch.plan(2.0, 3.0)
    assert [one.kept for one in watch.look().judged] == [False, False]
    assert watch.found(FINISH)[0].count == 3


def test_slots_that_somebody_lets_go_by_are_not_promised() -> None:
    watch = Watch(finish_after=60.0)
    watch.run(watch.pauses.pause("sales", actor="user:ann", until=MIDNIGHT + 2 * HOUR))
    _, skipped, kept = watch.plan(1.0, 3.0, 4.0)
    watch.look(HOUR)
    watch.look(timedelta(seconds=1))
    watch.look(2 * HOUR)
    state = SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.CONCURRENCY)
    watch.run(watch.slots.decide([Decision(slot=skipped, after=state)]))
    (one,) = watch.look(HOUR / 2).judged
    assert one.kept is None and watch.kept() == [] and watch.found(FINISH) == []
    assert kept.at > watch.database.now()


RUNS = IncidentKind.RUN_AT_MOST


def test_a_run_that_takes_too_long_is_told_while_it_is_at_work() -> None:
    watch = Watch(run_at_most=1200.0)
    attempt = watch.begin()
    assert watch.look(timedelta(minutes=20)).judged == ()
    (one,) = watch.look(timedelta(seconds=1)).judged
    assert one.kept is False and (one.why or "").endswith("to take at most 20m; it is still at work")
    (incident,) = watch.found(RUNS)
    assert incident.run_id == one.promise.run_id and incident.is_open
    watch.end(attempt)
    assert watch.look().judged == () and watch.found(RUNS)[0].is_open, "it has taken too long all the same"
    watch.do()
    watch.look()
    assert not watch.found(RUNS)[0].is_open and watch.kept() == [("2026-03-02", 1, 2)]


def test_a_run_that_nobody_saw_at_work_is_judged_by_its_record() -> None:
    watch = Watch(run_at_most=1200.0)
    attempt = watch.begin()
    watch.database.advance(1500)
    watch.end(attempt)
    watch.do()
    kept = [one.kept for one in watch.look(HOUR).judged]
    assert kept == [False, True]
    (incident,) = watch.found(RUNS)
    assert not incident.is_open and "it took 25m" in (incident.why or "")


def test_what_ends_without_its_result_is_no_promise_kept() -> None:
    watch = Watch(run_at_most=1200.0)
    watch.end(watch.begin(), well=False)
    assert [one.kept for one in watch.look().judged] == [None] and watch.kept() == []


FRESH = IncidentKind.FRESH_WITHIN


def test_a_report_that_gets_old_is_told_and_ends_with_the_next() -> None:
    watch = Watch(fresh_within={"airports": 26 * 3600.0})
    watch.publishing.published(small(1))
    assert [one.kept for one in watch.look(26 * HOUR).judged] == [True], "the first was to come by then"
    (one,) = watch.look(timedelta(minutes=1)).judged
    assert one.kept is False and (one.why or "").startswith("report airports was promised to be at most 1d2h old")
    watch.new_process()
    assert watch.look(HOUR).judged == () and watch.found(FRESH)[0].count == 1
    watch.publishing.published(small(2))
    watch.look()
    assert not watch.found(FRESH)[0].is_open
    watch.database.advance(3600)
    watch.publishing.published(small(3))
    assert [one.kept for one in watch.look().judged] == [True]
    assert watch.kept() == [("2026-03-03", 1, 2), ("2026-03-04", 1, 1)]


def test_a_report_that_never_was_published_is_told_too() -> None:
    watch = Watch(fresh_within={"airports": 3600.0})
    assert watch.look(HOUR).judged == ()
    (one,) = watch.look(HOUR).judged
    assert "nothing was published by 2026-03-02 02:00 CET" in (one.why or "")
    watch.publishing.published(small(1))
    watch.look()
    assert not watch.found(FRESH)[0].is_open


def test_of_two_reports_both_have_to_be_fresh() -> None:
    watch = Watch(fresh_within={"airports": 3600.0, "zoos": 3600.0})
    watch.look(2 * HOUR)
    watch.publishing.published(small(1), report="zoos")
    watch.look()
    assert watch.found(FRESH)[0].is_open, "the other one is not there"
    watch.publishing.published(small(1))
    watch.look()
    assert not watch.found(FRESH)[0].is_open and watch.found(FRESH)[0].count == 2


def test_what_could_not_be_written_is_looked_at_again() -> None:
    watch = Watch(rows_between={"airports": (4, None)})
    watch.publishing.published(small(3))

    async def away(*_: object, **__: object) -> tuple[Judgement, ...]:
        raise DatabaseUnavailable("RunLog", "it was taken away")

    settle, watch.book.settle = watch.book.settle, away  # type: ignore[method-assign]
    with pytest.raises(DatabaseUnavailable):
        watch.look()
    watch.book.settle = settle  # type: ignore[method-assign]
    assert [one.kept for one in watch.look().judged] == [False]


def test_a_rollback_makes_no_report_fresher() -> None:
    watch = Watch(fresh_within={"airports": 3600.0})
    watch.publishing.published(small(1))
    watch.database.advance(1800)
    watch.publishing.published(small(2))
    watch.look()
    watch.database.advance(3000)
    catalogue = MemoryReportCatalogue(watch.reports)
    watch.run(catalogue.roll_back("airports", to=None, rollback_id=watch.ids.new(), actor="user:ann", reason=None))
    watch.look()
    (incident,) = watch.found(FRESH)
    assert incident.is_open


def test_what_was_fresh_while_nobody_looked_was_fresh() -> None:
    watch = Watch(fresh_within={"airports": 26 * 3600.0})
    watch.publishing.published(small(1))
    watch.look()
    for _ in range(3):
        watch.database.advance(24 * 3600)
        watch.publishing.published(small(1))
    watch.new_process()
    assert [one.kept for one in watch.look(HOUR).judged] == [True, True, True]
    assert watch.found(FRESH) == [] and sum(one[1] for one in watch.kept()) == 4


def test_what_was_stale_while_nobody_looked_was_stale_once() -> None:
    watch = Watch(fresh_within={"airports": 26 * 3600.0})
    watch.publishing.published(small(1))
    watch.look()
    for hours in (24, 30, 24):
        watch.database.advance(hours * 3600)
        watch.publishing.published(small(1))
    watch.new_process()
    assert sorted(str(one.kept) for one in watch.look(HOUR).judged) == ["False", "True", "True"]
    (incident,) = watch.found(FRESH)
    assert not incident.is_open and incident.count == 1


ROWS = IncidentKind.ROWS_BETWEEN


def test_too_few_rows_that_nobody_looked_at_are_told() -> None:
    watch = Watch(rows_between={"airports": (4, None)})
    for rows in (5, 3, 5):
        watch.database.advance(3600)
        watch.publishing.published(pl.concat([small(4), small(14)]) if rows == 5 else small(3))
    watch.new_process()
    assert [one.kept for one in watch.look(HOUR).judged] == [True, False, True]
    (incident,) = watch.found(ROWS)
    assert not incident.is_open and watch.kept() == [("2026-03-02", 2, 3)]


def test_a_report_with_too_few_rows_is_told_until_it_has_enough() -> None:
    watch = Watch(rows_between={"airports": (4, None)})
    assert watch.look().judged == (), "of what was never published nothing is known"
    watch.publishing.published(small(3))
    (one,) = watch.look().judged
    assert one.why == "report airports was promised to have at least 4 rows; it has 3"
    watch.new_process()
    assert watch.look(HOUR).judged == () and watch.found(ROWS)[0].is_open
    watch.publishing.published(pl.concat([small(4), small(14)]))
    assert [one.kept for one in watch.look().judged] == [True]
    assert not watch.found(ROWS)[0].is_open and watch.kept() == [("2026-03-02", 1, 2)]


def test_what_is_away_makes_the_rest_no_later() -> None:
    watch = Watch(fresh_within={"airports": 3600.0}, run_at_most=60.0)
    watch.begin()
    watch.reports.available = False
    done = watch.look(2 * HOUR)
    assert [one.promise.kind for one in done.judged] == [RUNS]
    assert len(done.problems) == 1 and "promises about reports wait" in done.problems[0]
    watch.reports.available = True
    assert [one.promise.kind for one in watch.look().judged] == [FRESH]


def test_without_a_report_database_it_says_so() -> None:
    watch = Watch(catalogue=False, fresh_within={"airports": 3600.0})
    assert "REPORT_DB_URL" in watch.look().problems[0]


def test_who_promises_nothing_costs_nothing() -> None:
    watch = Watch()
    assert watch.look() == PromisesKept() and watch.database.events == []


def test_a_quiet_pass_changes_nothing() -> None:
    watch = Watch(
        finish_at="07:00", run_at_most=60.0, fresh_within={"airports": 60.0}, rows_between={"airports": (9, 9)}
    )
    watch.plan(FIVE)
    watch.publishing.published(small(3))
    watch.look(12 * HOUR)
    events, notices = len(watch.database.events), len(watch.database.notices)
    assert {one.count for one in watch.run(watch.incidents.find(IncidentFilter()))} == {1}
    watch.new_process()
    for _ in range(3):
        assert watch.look(HOUR).judged == ()
    assert (len(watch.database.events), len(watch.database.notices)) == (events, notices)
