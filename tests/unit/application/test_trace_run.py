"""A run as a trace: its ids follow from the run's, and the spans lie in each other."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import a_claim, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.tracer import MemoryTracer
from kubescribe.application.trace_run import TraceRun
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.trace import Span, span_id, traceparent


class World:
    def __init__(self) -> None:
        self.database = MemoryRunLogDatabase(datetime(2026, 11, 21, tzinfo=UTC))
        self.log, self.ids, self.tracer = MemoryAttemptLog(self.database), MemoryIds(), MemoryTracer()
        self.trace = TraceRun(
            run_log=MemoryRunLog(self.database), history=MemoryRunHistory(self.database), tracer=self.tracer
        )
        self.run_id = self.ids.new()

    def attempt(self, outcome: Any, notes: list[tuple[NoteKind, dict[str, Any], float]] | None = None) -> UUID:
        attempt = self.ids.new()

        async def work() -> None:
            await self.log.claim(a_claim(self.run_id, attempt))
            for seq, (kind, data, later) in enumerate(notes or [], 1):
                self.database.advance(later)
                await self.log.note((Note(attempt_id=attempt, seq=seq, kind=kind, data=data),))
            self.database.advance(1)
            await self.log.finish(attempt, outcome)

        asyncio.run(work())
        return attempt

    def send(self) -> bool:
        return asyncio.run(self.trace(self.run_id, tenant="default"))


READ, WROTE, NOTED = NoteKind.INPUT, NoteKind.OUTPUT, NoteKind.NOTE


def test_a_run_is_a_trace() -> None:
    world = World()
    first = world.attempt(failed(status=RunStatus.PENDING))
    second = world.attempt(
        succeeded(published=True),
        [
            (READ, {"name": "orders", "rows": 7, "seconds": 2.0}, 3.0),
            (NOTED, {"text": "well"}, 1.0),
            (WROTE, {"report": "totals", "rows": 3, "seconds": 1.0}, 5.0),
            (WROTE, {"report": "totals", "version": 1, "published": True}, 2.0),
        ],
    )
    assert world.send()
    spans = world.tracer.spans
    assert [span.name for span in spans] == ["run", "attempt", "attempt", "read", "stage", "transform", "publish"]
    root, one, two = spans[:3]
    assert root.parent is None and root.error is None and one.parent == two.parent == root.id
    assert (one.id, two.id) == (span_id(world.run_id, "attempt", first), span_id(world.run_id, "attempt", second))
    assert one.error == "error" and two.error is None
    assert all(span.parent == two.id for span in spans[3:]) and all(span.run_id == world.run_id for span in spans)
    assert len({span.id for span in spans}) == len(spans)
    took = {span.name: (span.end - span.start).total_seconds() for span in spans[3:]}
    assert took == {"read": 2.0, "stage": 1.0, "transform": 5.0, "publish": 2.0}
    assert dict(root.attributes)["kubescribe.status"] == "succeeded"
    assert dict(spans[3].attributes)["kubescribe.rows"] == 7
    nested(spans)
    again = list(spans)
    assert world.send() and world.tracer.spans == again * 2


def nested(spans: list[Span]) -> None:
    by_id = {span.id: span for span in spans}
    for span in spans:
        assert span.start <= span.end and 0 < span.id < 2**64
        if span.parent is not None:
            assert by_id[span.parent].start <= span.start and span.end <= by_id[span.parent].end


@given(
    st.lists(
        st.tuples(
            st.sampled_from((READ, WROTE, NOTED)),
            st.fixed_dictionaries(
                {
                    "seconds": st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=3)),
                    "published": st.booleans(),
                    "name": st.one_of(st.text(max_size=3), st.lists(st.none(), max_size=2)),
                }
            ),
            st.floats(-10, 10),
        ),
        max_size=6,
    )
)
def test_whatever_a_worker_tells_the_spans_lie_in_each_other(notes: list[Any]) -> None:
    world = World()
    world.attempt(failed(), notes)
    assert world.send()
    nested(world.tracer.spans)
    assert world.tracer.spans[0].error == "error"


def test_what_has_not_ended_has_no_trace_yet() -> None:
    world = World()
    asyncio.run(world.log.claim(a_claim(world.run_id, world.ids.new())))
    assert not world.send() and world.tracer.spans == []


def test_a_collector_that_is_away_is_said() -> None:
    world = World()
    world.attempt(succeeded())
    world.tracer.available = False
    assert not world.send()


def test_the_context_is_the_attempts_span() -> None:
    run_id, attempt_id = uuid4(), uuid4()
    text = traceparent(run_id, attempt_id)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", text)
    assert UUID(text.split("-")[1]) == run_id
    assert int(text.split("-")[2], 16) == span_id(run_id, "attempt", attempt_id)
