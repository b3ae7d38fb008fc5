"""The text is Prometheus's: read back by its own parser."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from tests.support.builders import a_claim, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.event_chain import MemoryEventChain
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.outbox import MemoryOutbox
from kubescribe.adapters.memory.run_figures import MemoryRunFigures
from kubescribe.application import metrics
from kubescribe.application.collect_metrics import CollectMetrics
from kubescribe.application.metrics import REQUEST_BOUNDS, Registry
from kubescribe.domain.errors import DatabaseUnavailable

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def kinds(text: str) -> dict[str, str]:
    return {family.name: family.type for family in text_string_to_metric_families(text)}


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.floats(-1e9, 1e9))
)
def test_any_label_and_value_comes_back(values: dict[str, float]) -> None:
    registry = Registry()
    gauge = registry.gauge("ks_thing", 'a "thing"\n\\', ("name",))
    for name, value in values.items():
        gauge.set(value, name=name)
    assert read(registry.text()) == {("ks_thing", (("name", name),)): value for name, value in values.items()}


@given(st.lists(st.floats(0, 100), max_size=50))
def test_a_histogram_counts_as_prometheus_does(values: list[float]) -> None:
    registry = Registry()
    histogram = registry.histogram("ks_seconds", "x", REQUEST_BOUNDS, ("route",))
    for value in values:
        histogram.observe(value, route="/runs")
    samples = read(registry.text())
    for bound in REQUEST_BOUNDS if values else ():
        le = str(int(bound)) if bound == int(bound) else repr(bound)
        assert samples["ks_seconds_bucket", (("le", le), ("route", "/runs"))] == sum(value <= bound for value in values)
    if values:
        assert samples["ks_seconds_bucket", (("le", "+Inf"), ("route", "/runs"))] == len(values)
        assert samples["ks_seconds_count", (("route", "/runs"),)] == len(values)
        assert samples["ks_seconds_sum", (("route", "/runs"),)] == pytest.approx(sum(values))
    assert kinds(registry.text()) == {"ks_seconds": "histogram"}


def test_threads_lose_no_count() -> None:
    registry = Registry()
    counter = registry.counter("ks_total", "x", ("a",))

    def count() -> None:
        for _ in range(5000):
            counter.add(a="b")
            registry.text() if _ % 1000 == 0 else None

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(registry.text())["ks_total", (("a", "b"),)] == 20_000
    assert registry.counter("ks_total", "x", ("a",)) is counter


def test_labels_are_those_that_were_declared() -> None:
    counter = Registry().counter("ks_total", "x", ("a",))
    for labels in ({}, {"b": "c"}, {"a": "b", "b": "c"}):
        with pytest.raises(ValueError, match="labels"):
            counter.add(1.0, **labels)


def test_odd_requests_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SERIES_LIMIT", 10)
    registry = Registry()
    counter, histogram = registry.counter("a_total", "x", ("a",)), registry.histogram("b", "x", (1.0,), ("a",))
    for number in range(100):
        counter.add(a=str(number))
        histogram.observe(0.5, a=str(number))
    counter.add(a="3")
    samples = read(registry.text())
    assert sum(name == "a_total" for name, _ in samples) == 10 == sum(name == "b_count" for name, _ in samples)
    assert samples["a_total", (("a", "3"),)] == 2


def collected(database: MemoryRunLogDatabase, registry: Registry | None = None) -> CollectMetrics:
    return CollectMetrics(
        tenant="default",
        registry=registry or Registry(),
        figures=MemoryRunFigures(database),
        outbox=MemoryOutbox(database),
        chain=MemoryEventChain(database),
    )


def test_what_is_watched_is_there() -> None:
    database, ids = MemoryRunLogDatabase(), MemoryIds()
    log = MemoryAttemptLog(database)

    async def work() -> str:
        for outcome in (succeeded(duration=0.5), succeeded(duration=70.0), failed()):
            attempt = ids.new()
            await log.claim(a_claim(ids.new(), attempt))
            await log.finish(attempt, outcome)
        await log.claim(a_claim(ids.new(), ids.new()))
        database.advance(33)
        registry = Registry()
        registry.counter("kubescribe_http_requests_total", "Requests.", ("status",)).add(status="401")
        return await collected(database, registry)()

    text = asyncio.run(work())
    samples = read(text)

    def value(name: str, **labels: Any) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    assert value("kubescribe_runs_total", pipeline="flights", status="succeeded", cause="") == 2
    assert value("kubescribe_runs_total", pipeline="flights", status="failed", cause="error") == 1
    assert value("kubescribe_run_state_age_seconds", status="running") == pytest.approx(33, abs=20)
    assert value("kubescribe_run_state_age_seconds", status="pending") == 0
    assert value("kubescribe_runs_open", status="running") == 1
    assert value("kubescribe_run_duration_seconds_bucket", pipeline="flights", status="succeeded", le="60") == 1
    assert value("kubescribe_run_duration_seconds_count", pipeline="flights", status="succeeded") == 2
    assert value("kubescribe_lease_age_seconds") == pytest.approx(33, abs=20)
    assert value("kubescribe_outbox_due") == 1 and value("kubescribe_outbox_age_seconds") >= 33
    assert value("kubescribe_outbox_dead") == 0 and value("kubescribe_pipelines_failing") == 1
    assert value("kubescribe_events_unsealed") == 12 and value("kubescribe_events_unsealed_age_seconds") >= 33
    assert value("kubescribe_http_requests_total", status="401") == 1
    assert "default" not in text and "{'day'" not in text, "no tenants and no parameters (S-35)"
    assert kinds(text)["kubescribe_run_duration_seconds"] == "histogram"
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) and all(name.startswith("kubescribe_") for name in names)


def test_without_runlog_the_process_still_tells_of_itself() -> None:
    database, registry = MemoryRunLogDatabase(), Registry()
    registry.counter("kubescribe_loop_failures_total", "x", ("loop",)).add(loop="seal")
    database.available = False
    collect = collected(database, registry)
    with pytest.raises(DatabaseUnavailable):
        asyncio.run(collect())
    assert read(collect.own()) == {("kubescribe_loop_failures_total", (("loop", "seal"),)): 1.0}
