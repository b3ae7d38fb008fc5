"""The pass that somebody who is alive makes for incidents."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.support.builders import a_claim, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.incidents import MemoryIncidents
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.promises import MemoryPromiseBook
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.application.keep_incidents import PROMISES_EVERY, KeepIncidents
from kubescribe.application.keep_promises import KeepPromises
from kubescribe.application.ports.slots import PlanSource, SlotPlan
from kubescribe.domain.incident import QUIET, IncidentTerms
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.promise import Promises
from kubescribe.domain.slot import Slot, SlotReason, SlotVerdict, slot_id


class Place:
    def __init__(self, *pipelines: Pipeline) -> None:
        self.database, self.clock, self.ids = MemoryRunLogDatabase(), MemoryClock(), MemoryIds()
        self.pipelines = pipelines
        promises = KeepPromises(
            tenant="default",
            book=MemoryPromiseBook(self.database),
            slots=MemorySlots(self.database),
            pauses=MemoryPauses(self.database),
            catalogue=None,
        )
        self.keep = KeepIncidents(
            tenant="default",
            incidents=MemoryIncidents(self.database),
            promises=promises,
            clock=self.clock,
            declared=lambda: self.pipelines,
        )

    def look(self) -> tuple[str, ...]:
        return asyncio.run(self.keep())

    def end(self, *, well: bool) -> None:
        async def work() -> None:
            attempts, claim = MemoryAttemptLog(self.database), a_claim(self.ids.new(), self.ids.new())
            await attempts.claim(claim)
            await attempts.finish(claim.attempt_id, succeeded() if well else failed())

        asyncio.run(work())

    def kinds(self) -> list[str]:
        return [kept.notice.kind.removeprefix("incident.") for kept in self.database.notices]


def test_what_is_declared_is_kept_when_it_changes() -> None:
    terms = IncidentTerms(incident_after=3)
    place = Place(Pipeline(name="flights", incidents=terms))
    place.look()
    assert place.database.incident_terms == {("default", "flights"): terms}
    place.database.incident_terms.clear()
    place.look()
    assert place.database.incident_terms == {}, "not at every look"
    place.pipelines = (Pipeline(name="flights"),)
    place.look()
    assert place.database.incident_terms == {("default", "flights"): IncidentTerms()}


def test_more_missed_slots_than_one_batch_and_what_came_back_are_told() -> None:
    place = Place()
    for well in (False, True, False):
        place.end(well=well)
    now = place.database.now()
    plan = SlotPlan(tenant="default", pipeline="boats", source=PlanSource.DECLARED, rule="r", planned_until=now)
    place.database.slot_plans["default", "boats"] = plan
    for number in range(1001):
        at = now - timedelta(minutes=2000 - number)
        its = slot_id("default", "boats", at.isoformat())
        place.database.slots[its] = Slot(
            id=its,
            pipeline="boats",
            logical=at.isoformat(),
            at=at,
            window_ends=at,
            verdict=SlotVerdict.MISSED,
            reason=SlotReason.NOT_KNOWN,
        )
    place.look()
    (missed,) = [one for one in place.database.incidents.values() if one.pipeline == "boats"]
    assert missed.count == 1001
    assert [kind for kind in place.kinds() if kind != "grew"] == ["opened", "recovered", "opened"]
    place.database.advance(QUIET.total_seconds())
    place.look()
    assert [kind for kind in place.kinds() if kind != "grew"][-1] == "opened" and place.kinds().count("opened") == 3


def test_promises_are_looked_at_less_often() -> None:
    place = Place(Pipeline(name="flights", reports=("r",), promises=Promises(fresh_within={"r": 60.0})))
    assert "promises about reports wait" in place.look()[0]
    assert place.look() == ()
    asyncio.run(place.clock.sleep(PROMISES_EVERY))
    assert len(place.look()) == 1
