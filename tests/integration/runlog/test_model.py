"""Memory and PostgreSQL side by side: whatever is told to both, both know the same.

``KUBESCRIBE_MODEL_EXAMPLES`` sets the number of histories, and has a failing one made small.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kubescribe.application.ports.attempt_log import Beat
from kubescribe.application.ports.run_log import OpenRun, RunFilter, Step
from kubescribe.domain import run as steps
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import KubescribeError
from kubescribe.domain.event import Event
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run import Evidence, Run, Trigger
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import LONG_AGO, a_claim, a_run
from tests.support.hostile import json_objects, texts
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

RUNS = [UUID(int=number) for number in range(1, 4)]
ATTEMPTS = [UUID(int=number) for number in range(101, 109)]

runs, attempts, optional_attempts = st.sampled_from(RUNS), st.sampled_from(ATTEMPTS), st.sampled_from([None, *ATTEMPTS])
causes = st.sampled_from(FailureCause)
seconds = st.sampled_from([0.0, 0.0, 1000.0])
agos = st.sampled_from([0.0, 0.0, 500.0, 5000.0])  # far apart: a slow machine must not change their order
certificates = st.builds(
    DeathCertificate, cause=st.none() | causes, exit_code=st.integers(-64, 255), message=st.none() | texts
)
outcomes = st.builds(
    Outcome,
    status=st.sampled_from(
        [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.SKIPPED, RunStatus.PENDING, RunStatus.LOST]
    ),
    exit_code=st.just(1),
    certificate=certificates,
    published=st.sampled_from([False, False, False, True]),
    skip_reason=st.none() | st.sampled_from(SkipReason),
    duration=st.floats(0, 100),
)
messages = st.sampled_from(["for a reason", "\0", None])


def every_step(message: str | None, evidence: Evidence, cause: FailureCause) -> dict[str, Step]:
    return {
        "claimed": lambda run, at: steps.claimed(
            run, attempt_id=ATTEMPTS[-1], actor="r", at=at, run_deadline_at=at + timedelta(days=1), may_publish=True
        ),
        "released": lambda run, at: steps.released(run, actor="r", at=at, cause=cause, message=message),
        "uncertain": lambda run, at: steps.uncertain(run, actor="r", at=at, why=message or "?"),
        "succeeded": lambda run, at: steps.succeeded(run, actor="r", at=at, evidence=evidence),
        "failed": lambda run, at: steps.failed(
            run, actor="r", at=at, evidence=evidence, cause=cause, message=message, duration=1.0
        ),
        "lost": lambda run, at: steps.lost(run, actor="r", at=at, evidence=evidence, message=message),
        "skipped": lambda run, at: steps.skipped(
            run, actor="r", at=at, evidence=evidence, reason=SkipReason.SUPERSEDED, message=message
        ),
        "cancelling": lambda run, at: steps.cancelling(run, actor="r", at=at, reason=message),
        "cancelled": lambda run, at: steps.cancelled(run, actor="r", at=at, evidence=evidence, message=message),
    }


def timeless(value: Any) -> Any:
    """Times differ between two clocks: only whether there is one, and which equal the first, is compared."""
    if isinstance(value, datetime):
        return value if value == LONG_AGO else "some time"
    if isinstance(value, Event):  # what is rolled back leaves a gap in PostgreSQL's numbers
        value = msgspec.structs.replace(value, seq=None)
    if isinstance(value, OpenRun) and value.cancelling_for is not None:
        value = msgspec.structs.replace(value, cancelling_for=0.0)
    if isinstance(value, msgspec.Struct):
        return (type(value).__name__, *(timeless(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, tuple | list):
        return tuple(timeless(item) for item in value)
    return value


class Both(RuleBasedStateMachine):
    memory: MemoryWorld
    postgres: PostgresWorld

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryWorld(self.postgres._loop)
        self.postgres.execute(
            "SET session_replication_role = replica;\n"
            "TRUNCATE run, attempt, event, note, log_chunk, outbox, incident, incident_number, run_figures "
            "RESTART IDENTITY CASCADE"
        )

    def tell(self, call: Callable[[World], Coroutine[Any, Any, Any]]) -> Any:
        told = [self._told(world, call) for world in (self.memory, self.postgres)]
        assert timeless(told[0]) == timeless(told[1])
        return told[1]

    @staticmethod
    def _told(world: World, call: Callable[[World], Coroutine[Any, Any, Any]]) -> Any:
        try:
            return world.run(call(world))
        except KubescribeError as error:
            return type(error).__name__, str(error)

    @rule(run_id=runs, deadline=st.none() | seconds, parameters=json_objects)
    def create(self, run_id: UUID, deadline: float | None, parameters: dict[str, Any]) -> None:
        run = a_run(run_id, parameters={"day": 1} if len(parameters) < 3 else parameters, slot=LONG_AGO)
        self.tell(lambda world: world.run_log.create(run, start_deadline=deadline))

    @rule(
        run_id=runs,
        attempt_id=attempts,
        lease=seconds,
        deadline=seconds,
        ago=agos,
        fence=st.none() | st.integers(1, 9),
        trigger=st.sampled_from(Trigger),
        pipeline=st.sampled_from(["flights", "flights", "flights", "flights", "trains"]),
    )
    def claim(self, run_id: UUID, attempt_id: UUID, ago: float, deadline: float, **told: Any) -> None:
        claim = a_claim(run_id, attempt_id, run_deadline=deadline, **told)

        async def claimed(world: World) -> Any:
            answer = await world.attempt_log.claim(claim, ago=ago)
            left = round(answer.run_deadline_in / 100)
            return answer.run, answer.attempt, left

        self.tell(claimed)

    @rule(attempt_id=attempts, lease=seconds, progress=st.none() | st.floats(), text=st.none() | texts)
    def beat(self, attempt_id: UUID, lease: float, progress: float | None, text: str | None) -> None:
        beat = Beat(attempt_id=attempt_id, lease=lease, progress=progress, progress_text=text, memory=2**66)
        self.tell(lambda world: world.attempt_log.beat(beat))

    @rule(
        told=st.lists(st.tuples(attempts, st.integers(1, 3), st.sampled_from(NoteKind)), max_size=3),
        data=json_objects,
        ago=agos,
    )
    def note(self, told: list[tuple[UUID, int, NoteKind]], data: dict[str, Any], ago: float) -> None:
        notes = tuple(Note(attempt_id=told[0][0], seq=seq, kind=kind, data=data) for _, seq, kind in told)
        self.tell(lambda world: world.attempt_log.note(notes, ago=ago))

    @rule(attempt_id=attempts, seq=st.integers(1, 5), text=texts, forget=st.none() | st.just((2, 3)))
    def log(self, attempt_id: UUID, seq: int, text: str, forget: tuple[int, int] | None) -> None:
        chunk = LogChunk(attempt_id=attempt_id, seq=seq, lines=(LogLine(1.5, "out", text),))
        self.tell(lambda world: world.attempt_log.log(chunk, forget=forget))

    @rule(attempt_id=attempts, outcome=outcomes, ago=agos)
    def finish(self, attempt_id: UUID, outcome: Outcome, ago: float) -> None:
        self.tell(lambda world: world.attempt_log.finish(attempt_id, outcome, ago=ago))

    @rule(
        run_id=runs,
        expected=st.none() | st.sampled_from(RunStatus),
        name=st.sampled_from(list(every_step(None, Evidence.EXIT, FailureCause.ERROR))[1:]),
        whose=st.sampled_from(["nobody's", "newest", "newest", "any"]),
        attempt_id=attempts,
        certificate=st.none() | certificates,
        message=messages,
        evidence=st.sampled_from(Evidence),
        cause=causes,
    )
    def move(
        self,
        run_id: UUID,
        expected: RunStatus | None,
        name: str,
        whose: str,
        attempt_id: UUID,
        certificate: DeathCertificate | None,
        message: str | None,
        evidence: Evidence,
        cause: FailureCause,
    ) -> None:
        run = self.memory.database.runs.get(run_id)
        newest = run.attempt_id if run else None
        whom = {"nobody's": None, "newest": newest, "any": attempt_id}[whose]
        self.tell(
            lambda world: world.run_log.move(
                run_id,
                expected or (run.status if run else RunStatus.PENDING),
                every_step(message, evidence, cause)[name],
                attempt_id=whom,
                certificate=certificate if whom is not None else None,
            )
        )

    @rule(data=json_objects, run_id=st.none() | runs)
    def record(self, data: dict[str, Any], run_id: UUID | None) -> None:
        event = Event(subject="report:r", kind="report.seen", actor="r", at=LONG_AGO, run_id=run_id, data=data)
        self.tell(lambda world: world.run_log.record(event))

    @rule(statuses=st.none() | st.lists(st.sampled_from(RunStatus), max_size=3), limit=st.integers(1, 4))
    def find(self, statuses: list[RunStatus] | None, limit: int) -> None:
        which = RunFilter(statuses=None if statuses is None else tuple(statuses))
        self.tell(lambda world: world.run_log.find(which, limit=limit))

    @invariant()
    def know_the_same(self) -> None:
        for run_id in RUNS:
            self.tell(lambda world, run_id=run_id: world.run_log.get(run_id))  # type: ignore[misc]
            for read in ("attempts", "events", "notes"):
                self.tell(lambda world, run_id=run_id, read=read: getattr(world.history, read)(run_id))  # type: ignore[misc]
        self.tell(lambda world: world.run_log.open_runs())
        assert self.memory.outbox() == self.postgres.outbox()

    @invariant()
    def times_are_in_order(self) -> None:
        for world in (self.memory, self.postgres):
            for run in world.run(world.run_log.find(RunFilter())).runs:
                self._in_order(run)
                for attempt in world.run(world.history.attempts(run.id)):
                    assert attempt.ended_at is None or attempt.ended_at >= attempt.started_at >= run.created_at

    @staticmethod
    def _in_order(run: Run) -> None:
        assert (run.finished_at is not None) == run.status.terminal
        assert run.started_at is None or run.started_at >= run.created_at
        assert run.finished_at is None or run.finished_at >= (run.started_at or run.created_at)

    def teardown(self) -> None:
        for attempt_id in ATTEMPTS:
            self.tell(lambda world, attempt_id=attempt_id: world.history.output(attempt_id))  # type: ignore[misc]


def test_memory_and_postgres_know_the_same(loop: asyncio.Runner, runlog_url: str) -> None:
    Both.postgres = PostgresWorld(loop, runlog_url)
    more = os.environ.get("KUBESCRIBE_MODEL_EXAMPLES")
    phases = set(Phase) - {Phase.explain} - (set() if more else {Phase.shrink})  # shrinking takes minutes
    try:
        run_state_machine_as_test(
            Both,
            settings=settings(
                max_examples=int(more or 60),
                phases=phases,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
                print_blob=True,
            ),
        )
    finally:
        Both.postgres.close()
