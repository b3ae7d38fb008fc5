"""Figures over a pipeline's last runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.support.builders import LONG_AGO, a_run

from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.describe_pipeline import DescribePipeline
from kubescribe.domain.dst_policy import Gap
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.pipeline_figures import Durations, figures
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus


def a_past(*statuses: str, **changes: Any) -> list[Run]:
    """Oldest first, a minute apart; each took as many seconds as its number."""
    return [
        a_run(
            UUID(int=number),
            status=RunStatus(status),
            created_at=LONG_AGO + timedelta(minutes=number),
            finished_at=LONG_AGO + timedelta(minutes=number, seconds=number),
            duration=float(number),
            **changes,
        )
        for number, status in enumerate(statuses, 1)
    ]


def test_of_no_runs() -> None:
    none = figures([])
    assert (none.counted, none.by_status, none.success_rate, none.durations, none.first_at) == (0, {}, None, None, None)


def test_skipped_and_cancelled_runs_say_nothing_of_its_success() -> None:
    found = figures(a_past("succeeded", "failed", "skipped", "cancelled", "lost", "succeeded", "running"))
    assert found.counted == 6 and found.success_rate == pytest.approx(0.5)
    assert found.by_status == {"succeeded": 2, "failed": 1, "skipped": 1, "cancelled": 1, "lost": 1}
    assert found.durations == Durations(p50=1.0, p90=6.0, p99=6.0, longest=6.0)
    assert found.first_at == LONG_AGO + timedelta(minutes=1)


def test_quantiles_are_durations_that_occurred() -> None:
    found = figures(a_past(*["succeeded"] * 100)).durations
    assert found == Durations(p50=50.0, p90=90.0, p99=99.0, longest=100.0)


def test_how_a_pipeline_stands(loop: asyncio.Runner) -> None:
    database = MemoryRunLogDatabase()
    for run in a_past(*["succeeded"] * 3, "failed", *["skipped"] * 119, "running"):
        database.runs[run.id] = run
    other = a_run(UUID(int=1000), tenant="other", status=RunStatus.FAILED)
    database.runs[other.id] = other
    now = LONG_AGO + timedelta(minutes=3, seconds=3, hours=2)
    describe = DescribePipeline(run_log=MemoryRunLog(database))
    state = loop.run(describe(Pipeline(name="flights", schedule="0 5 * * *"), now=now))
    assert [run.id.int for run in state.last_runs] == list(range(124, 114, -1))
    assert [run.id.int for run in state.open_runs] == [124]
    assert state.last_success is not None and state.last_success.id.int == 3, "though it is not among the last hundred"
    assert state.freshness == pytest.approx(7200.0)
    assert (state.figures.counted, state.figures.by_status) == (99, {"skipped": 99})
    assert [slot.isoformat() for slot in state.next_slots[:2]] == [
        "2020-03-01T05:00:00+00:00",
        "2020-03-02T05:00:00+00:00",
    ]
    never = loop.run(describe(Pipeline(name="trains"), now=now))
    assert (never.last_runs, never.last_success, never.freshness, never.next_slots) == ((), None, None, ())


@pytest.mark.parametrize(
    ("gap", "first"),
    [(Gap.RUN_AFTER, "2026-03-29T03:00:00+02:00"), (Gap.SKIP, "2026-03-30T02:30:00+02:00")],
)
def test_the_next_slots_go_by_the_pipelines_rules(loop: asyncio.Runner, gap: Gap, first: str) -> None:
    describe = DescribePipeline(run_log=MemoryRunLog(MemoryRunLogDatabase()))
    nightly = Pipeline(name="flights", schedule="30 2 * * *", timezone="Europe/Berlin", gap=gap)
    state = loop.run(describe(nightly, now=datetime(2026, 3, 28, 12, tzinfo=UTC)))
    assert state.next_slots[0].isoformat() == first and len(state.next_slots) == 5
