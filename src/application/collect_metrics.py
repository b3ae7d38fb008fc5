"""What Prometheus is told: what this process counts, and what RunLog keeps."""

from __future__ import annotations

from ..domain.figures import DURATION_BOUNDS, RunFigures
from .metrics import Metric, Registry, histogram_lines, text_of
from .ports.event_chain import EventChain, Unsealed
from .ports.outbox import Outbox, OutboxStanding
from .ports.run_figures import RunFigureLog


class CollectMetrics:
    """Reads RunLog's figures for one tenant; the same for any number of runs, and no count over a large table."""

    def __init__(
        self, *, tenant: str, registry: Registry, figures: RunFigureLog, outbox: Outbox, chain: EventChain
    ) -> None:
        self._tenant = tenant
        self._registry = registry
        self._figures = figures
        self._outbox = outbox
        self._chain = chain

    async def __call__(self) -> str:
        """The text. Raises ``DatabaseUnavailable``; :meth:`own` works without RunLog."""
        figures = await self._figures.figures(self._tenant)
        standing = await self._outbox.standing(self._tenant)
        unsealed = await self._chain.unsealed(self._tenant)
        return self.own() + runs_text(figures) + _rest(figures, standing, unsealed)

    def own(self) -> str:
        """What this process counts itself."""
        return self._registry.text()


def runs_text(figures: RunFigures) -> str:
    """The figures about runs."""
    labels = ("pipeline", "status", "cause")
    total = Metric("counter", "kubescribe_runs_total", "Runs that have ended, by pipeline, how and why.", labels)
    for one in figures.ended:
        total.set(one.runs, pipeline=one.pipeline, status=one.status, cause=one.cause)
    name = "kubescribe_run_duration_seconds"
    histogram = [f"# HELP {name} How long runs took that have begun and ended.", f"# TYPE {name} histogram"]
    merged: dict[tuple[str, str], tuple[list[int], float]] = {}
    for one in figures.ended:
        buckets, seconds = merged.get((one.pipeline, one.status)) or ([0] * len(one.buckets), 0.0)
        sums = [before + more for before, more in zip(buckets, one.buckets, strict=True)]
        merged[one.pipeline, one.status] = (sums, seconds + one.seconds)
    for (pipeline, status), (sums, seconds) in merged.items():
        named = [("pipeline", pipeline), ("status", status)]
        histogram += histogram_lines(name, named, DURATION_BOUNDS, sums, seconds)
    open_runs = Metric("gauge", "kubescribe_runs_open", "Runs without a verdict, by state.", ("status",))
    age = Metric(
        "gauge",
        "kubescribe_run_state_age_seconds",
        "How long the run that is longest in this state has been in it.",
        ("status",),
    )
    for status in ("pending", "running", "uncertain", "cancelling"):
        found = next((one for one in figures.open if one.status == status), None)
        open_runs.set(0 if found is None else found.runs, status=status)
        age.set(0 if found is None else found.age, status=status)
    return text_of([*total.lines(), *histogram, *open_runs.lines(), *age.lines()])


def _rest(figures: RunFigures, standing: OutboxStanding, unsealed: Unsealed) -> str:
    values = (
        (
            "kubescribe_lease_age_seconds",
            "Since the attempt that is silent longest renewed its lease.",
            figures.lease_age,
        ),
        ("kubescribe_pipelines_failing", "Pipelines whose newest verdict is a failure.", figures.failing),
        ("kubescribe_outbox_due", "Messages that are to be sent.", standing.due),
        ("kubescribe_outbox_age_seconds", "Since the oldest message that is to be sent was written.", standing.age),
        ("kubescribe_outbox_dead", "Messages that were given up.", standing.dead),
        ("kubescribe_events_unsealed", "Events that wait for their seal.", unsealed.events),
        ("kubescribe_events_unsealed_age_seconds", "Since the oldest event without a seal was written.", unsealed.age),
    )
    lines: list[str] = []
    for name, help, value in values:
        gauge = Metric("gauge", name, help)
        gauge.set(value)
        lines += gauge.lines()
    return text_of(lines)
