"""Counters, gauges and histograms of one process, and the text in which Prometheus reads them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
_Key = tuple[str, ...]

REQUEST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: what an answer to a request may take."""

SERIES_LIMIT = 10_000
"""Label sets of one metric; further ones are left out, so that no stream of odd requests fills the memory."""


class Metric:
    """One name with its help; a value for each set of label values. Safe for several threads."""

    def __init__(self, kind: Literal["counter", "gauge"], name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.kind, self.name, self.help, self.labels = kind, name, help, tuple(labels)
        self._values: dict[_Key, float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float = 1.0, **labels: str) -> None:
        """Count up."""
        key = _key(self.labels, labels)
        with self._lock:
            if key in self._values or len(self._values) < SERIES_LIMIT:
                self._values[key] = self._values.get(key, 0.0) + amount

    def set(self, value: float, **labels: str) -> None:
        """Say what it is."""
        key = _key(self.labels, labels)
        with self._lock:
            if key in self._values or len(self._values) < SERIES_LIMIT:
                self._values[key] = value

    def lines(self) -> Iterable[str]:
        """Its lines of the text format."""
        with self._lock:
            values = sorted(self._values.items())
        yield from _head(self.name, self.kind, self.help)
        for key, value in values:
            yield _line(self.name, zip(self.labels, key, strict=True), value)


class Histogram:
    """How many observations were at most each bound. Safe for several threads."""

    def __init__(self, name: str, help: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        self.name, self.help, self.bounds, self.labels = name, help, tuple(bounds), tuple(labels)
        self._values: dict[_Key, tuple[list[int], float]] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, **labels: str) -> None:
        """Count one observation."""
        key = _key(self.labels, labels)
        with self._lock:
            counts, total = self._values.get(key) or ([0] * (len(self.bounds) + 1), 0.0)
            if key in self._values or len(self._values) < SERIES_LIMIT:
                counts[bisect_left(self.bounds, value)] += 1
                self._values[key] = (counts, total + value)

    def lines(self) -> Iterable[str]:
        """Its lines of the text format."""
        with self._lock:
            values = sorted((key, (list(counts), total)) for key, (counts, total) in self._values.items())
        yield from _head(self.name, "histogram", self.help)
        for key, (counts, total) in values:
            sums = [sum(counts[: place + 1]) for place in range(len(counts))]
            yield from histogram_lines(self.name, list(zip(self.labels, key, strict=True)), self.bounds, sums, total)


class Registry:
    """The metrics of a process, in the order in which they were made."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric | Histogram] = {}

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Metric:
        """A number that only grows; its name ends with ``_total``. Asked for twice, it is the same."""
        return self._made(Metric("counter", name, help, labels))

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Metric:
        """A number that goes up and down."""
        return self._made(Metric("gauge", name, help, labels))

    def histogram(self, name: str, help: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """Observations by size."""
        made = self._metrics.setdefault(name, Histogram(name, help, bounds, labels))
        assert isinstance(made, Histogram)
        return made

    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        return text_of(line for metric in list(self._metrics.values()) for line in metric.lines())

    def _made(self, metric: Metric) -> Metric:
        made = self._metrics.setdefault(metric.name, metric)
        assert isinstance(made, Metric)
        return made


def text_of(lines: Iterable[str]) -> str:
    """Lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def histogram_lines(
    name: str, labels: Sequence[tuple[str, str]], bounds: Sequence[float], sums: Sequence[int], total: float
) -> Iterable[str]:
    """The lines of one set of labels; ``sums``: how many were at most each bound, and at last how many there were."""
    for bound, count in zip((*bounds, float("inf")), sums, strict=True):
        yield _line(f"{name}_bucket", [*labels, ("le", _number(bound))], count)
    yield _line(f"{name}_sum", labels, total)
    yield _line(f"{name}_count", labels, sums[-1])


def _head(name: str, kind: str, help: str) -> tuple[str, str]:
    escaped = help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {escaped}", f"# TYPE {name} {kind}"


def _line(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    text = text.encode(errors="replace").decode()
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\r", "\ufffd")


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _key(names: _Key, labels: Labels) -> _Key:
    if set(labels) != set(names):
        raise ValueError(f"labels {sorted(labels)} where {sorted(names)} were declared")
    return tuple(labels[name] for name in names)
