"""Slots in memory: a database and a clock that stand still until a test moves them, and what looks after the slots."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.adapters.memory.schedules import MemorySchedules
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.application.authoring.parameters import Parameter
from kubescribe.application.catch_up_slots import CatchUpSlots
from kubescribe.application.fire_slots import FireSlots, StartSlot
from kubescribe.application.launch_run import LaunchRun
from kubescribe.application.ports.schedules import SeenSchedule
from kubescribe.application.ports.slots import SlotFilter
from kubescribe.application.trigger_run import TriggerRun
from kubescribe.application.watch_slots import Watched, WatchSlots
from kubescribe.domain.actor import SCHEDULE
from kubescribe.domain.errors import PipelineNotFound
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.slot import Slot
from tests.support.builders import a_claim

NOON = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
HOURLY = Pipeline(name="flights", schedule="0 * * * *", start_deadline=300)
HOUR = 3600.0
SEEN = SeenSchedule(
    namespace="runs",
    name="flights",
    tenant="default",
    pipeline="flights",
    suspended=False,
    uid="c0ffee",
    schedule="0 * * * *",
    created_at=NOON - timedelta(days=30),
    starting_deadline=300,
)


class Declared(msgspec.Struct):
    """A pipeline's function, as far as a scheduler looks."""

    pipeline: Pipeline
    parameters: tuple[Parameter, ...] = ()


class SlotWorld:
    """One process that looks after slots; :meth:`another` is a second one over the same database."""

    def __init__(
        self,
        loop: asyncio.Runner,
        *pipelines: Pipeline,
        cluster: bool = False,
        database: MemoryRunLogDatabase | None = None,
        schedules: MemorySchedules | None = None,
    ) -> None:
        self.loop = loop
        self.database = database or MemoryRunLogDatabase(NOON + timedelta(seconds=1))
        self.clock = MemoryClock()
        self.slots = MemorySlots(self.database)
        self.pauses = MemoryPauses(self.database)
        self.run_log = MemoryRunLog(self.database)
        self.attempt_log = MemoryAttemptLog(self.database)
        self.launcher = MemoryLauncher()
        self.ids = MemoryIds()
        self.cluster = (schedules or MemorySchedules()) if cluster else None
        self.declared = {one.name: Declared(one) for one in pipelines}
        requests = MemoryRunRequests(self.database)
        launch = LaunchRun(run_log=self.run_log, requests=requests, launcher=self.launcher)
        start = StartSlot(trigger=TriggerRun(requests=requests, launch=launch, ids=self.ids), declared=self._get)
        self._fire = FireSlots(slots=self.slots, start=start, tenant="default")
        self._catch_up = CatchUpSlots(slots=self.slots, start=start, pauses=self.pauses, tenant="default")
        self.problems: tuple[str, ...] = ()
        self.begin()

    def begin(self) -> None:
        """The process has begun just now: what it knew is forgotten."""
        self._watch = WatchSlots(
            slots=self.slots,
            clock=self.clock,
            tenant="default",
            declared=lambda: [one.pipeline for one in self.declared.values()],
            schedules=self.cluster,
        )
        self._catch_up._begun = False

    def another(self) -> SlotWorld:
        pipelines = [one.pipeline for one in self.declared.values()]
        return SlotWorld(
            self.loop,
            *pipelines,
            cluster=self.cluster is not None,
            database=self.database,
            schedules=self.cluster,
        )

    def show(self, **changes: Any) -> None:
        """The CronJob is so from now on."""
        assert self.cluster is not None
        self.cluster.show(msgspec.structs.replace(SEEN, **changes))

    def declare(self, **changes: Any) -> None:
        """The pipeline ``flights`` is declared so from now on."""
        before = self.declared["flights"].pipeline
        self.declared["flights"] = Declared(msgspec.structs.replace(before, **changes))

    def watch(self, *, catch_up: bool = False) -> Watched:
        passed = self.loop.run(self._watch())
        self.problems = passed.problems
        if catch_up:
            self.problems += self.loop.run(self._catch_up(passed))
        return passed

    def fire(self, *, gaps: bool = False) -> list[UUID]:
        return [run.id for run in self.loop.run(self._fire(gaps=gaps))]

    def pass_time(self, seconds: float, *, asleep: bool = False) -> None:
        """For all; ``asleep``: the machine is, and its monotonic clock stands still."""
        self.database.advance(seconds)
        if not asleep:
            self.clock.advance(seconds)

    def jump(self, seconds: float) -> None:
        """The wall clock is set, forward or back."""
        self.database.advance(seconds)

    def to(self, hour: int, minute: int = 0, second: int = 0, *, day: int = 10) -> None:
        """Let time pass until then."""
        then = NOON.replace(day=day, hour=hour, minute=minute, second=second)
        self.pass_time((then - self.database.now()).total_seconds())

    def all(self, **which: Any) -> list[Slot]:
        return list(self.loop.run(self.slots.find(SlotFilter(**which), limit=100_000)).slots)

    def slot(self, hour: int, minute: int = 0, *, day: int = 10) -> Slot:
        at = NOON.replace(day=day, hour=hour, minute=minute)
        (found,) = (one for one in self.all() if one.at == at)
        return found

    def run_of(self, hour: int, minute: int = 0, *, day: int = 10, **changes: Any) -> Run:
        """A run of the schedule comes, as the cluster's Jobs do; nothing has begun it."""
        at = NOON.replace(day=day, hour=hour, minute=minute)
        run = Run(
            id=self.ids.new(),
            pipeline="flights",
            trigger=Trigger.SCHEDULE,
            actor=SCHEDULE,
            slot=at,
            created_at=at,
        )
        return self.loop.run(self.run_log.create(msgspec.structs.replace(run, **changes)))

    def start(self, run: Run | UUID) -> None:
        run_id = run if isinstance(run, UUID) else run.id
        known = self.database.runs[run_id]
        claim = a_claim(run_id, self.ids.new(), parameters=known.parameters, slot=known.slot)
        self.loop.run(self.attempt_log.claim(claim))

    def words(self) -> list[str]:
        """The events of slots."""
        return [one.kind for one in self.database.events if one.kind.startswith("slot.")]

    def _get(self, name: str) -> Declared:
        try:
            return self.declared[name]
        except KeyError:
            raise PipelineNotFound(name, (), len(self.declared)) from None
