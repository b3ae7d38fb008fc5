"""Showing new rows beside readers: the publishing transaction, a rename, CREATE OR REPLACE VIEW.

One reader has looked at the report and keeps its transaction open for some seconds, as a dashboard or a dump does.
Others come with a query each, one after the other, and are timed.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from kubescribe.adapters.report.fences import PostgresFences
from kubescribe.adapters.report.publication import Publishing
from kubescribe.adapters.report.publisher import PostgresPublisher
from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.application.ports.publisher import PublishRequest
from kubescribe.domain.report import ReportSpec
from tests.support.addresses import asyncpg_address
from tests.support.waiting import wait_for

HEADING = "# Publishing beside readers"
_REPORT = "lineitem_shown"
_OPEN = 3.0
"""Seconds for which the reader's transaction stays open after the switch has begun."""
_READERS = 2
_READS_BEFORE = 50

Timed = tuple[float, float]


class Delay(NamedTuple):
    """Of one switch, in seconds."""

    held: float
    """From the first statement of the transaction that switches to its end."""
    reader: float
    """The longest that a reader's query took while that went on."""
    usual: float
    """The longest of its queries before."""


@contextmanager
def _readers(url: str, relation: str) -> Iterator[list[Timed]]:
    """Queries that come one after the other; when each began and how long it took."""
    over, reads = threading.Event(), list[Timed]()

    def read() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.is_set():
                began = time.monotonic()
                connection.execute(f"SELECT l_orderkey FROM {relation} LIMIT 1".encode()).fetchone()
                reads.append((began, time.monotonic() - began))

    threads = [threading.Thread(target=read) for _ in range(_READERS)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(reads) >= _READS_BEFORE, "readers to read")
        yield reads
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def _open_reader(url: str, relation: str) -> Iterator[None]:
    """A transaction that has read, and stays open until the block ends or the time is over."""
    looked, over = threading.Event(), threading.Event()

    def read() -> None:
        with psycopg.connect(url) as connection:
            connection.execute(f"SELECT l_orderkey FROM {relation} LIMIT 1".encode()).fetchone()
            looked.set()
            over.wait(_OPEN)

    thread = threading.Thread(target=read)
    thread.start()
    looked.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _measured(url: str, relation: str, switch: Callable[[], Timed]) -> Delay:
    """``switch`` says when its transaction began, and how long it was."""
    with _readers(url, relation) as reads, _open_reader(url, relation):
        usual = max(took for _, took in reads)
        began, held = switch()
        seen = len(reads) + _READERS
        wait_for(lambda: len(reads) > seen, "readers to read on")
    during = [took for at, took in reads if at + took >= began and at <= began + held]
    return Delay(held, max(during, default=0.0), usual)


class _Publishing:
    """Ours: a version is staged beforehand, and published while readers read."""

    def __init__(self, production: str, report: str, monitor: list[Timed]) -> None:
        address = asyncpg_address(report)
        self._production, self._monitor = production, monitor
        self._fences, self._publisher = PostgresFences(address), PostgresPublisher(address)
        self._staging = PostgresStaging(report)

    def staged(self) -> Callable[[], Timed]:
        run_id, attempt_id = uuid4(), uuid4()
        fence = asyncio.run(self._fences.take(run_id, attempt_id))
        source = PostgresSource(self._production, application_name="bench")
        rows = source.relay("SELECT * FROM lineitem", {}, name="lineitem")
        staged = self._staging.relay(ReportSpec(name=_REPORT), rows, run_id=run_id, attempt_id=attempt_id)
        source.done()
        request = PublishRequest(run_id=run_id, attempt_id=attempt_id, fence=fence, actor="bench", slot=None)

        def publish() -> Timed:
            asyncio.run(self._publisher.publish(request, (staged,)))
            return self._monitor[-1]

        return publish

    def tidy(self) -> None:
        asyncio.run(self._publisher.retire(_REPORT, 1))


@contextmanager
def _monitored() -> Iterator[list[Timed]]:
    """Begin and length of every publishing transaction in this process."""
    seen: list[Timed] = []
    original = Publishing.publish

    async def publish(self: Publishing) -> Any:
        began = time.monotonic()
        try:
            return await original(self)
        finally:
            seen.append((began, time.monotonic() - began))

    Publishing.publish = publish  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        Publishing.publish = original  # type: ignore[method-assign]


def _in_one_transaction(url: str, statements: tuple[str, ...]) -> Callable[[], Timed]:
    def switch() -> Timed:
        with psycopg.connect(url) as connection:
            began = time.monotonic()
            for statement in statements:
                connection.execute(statement.encode())
            connection.commit()
            return began, time.monotonic() - began

    return switch


def measured(production: str, report: str, rounds: int, rows: int) -> str:
    """Every way in every round; the figures in Markdown. ``lineitem`` is there, and nobody else reads."""
    found: dict[str, list[Delay]] = {}
    with psycopg.connect(report, autocommit=True) as connection, _monitored() as monitor:
        ours = _Publishing(production, report, monitor)
        ours.staged()()
        # What is renamed and what the view shows: a copy each would say no more, for none of it looks at rows.
        for name in ("shown", "next"):
            connection.execute(f"CREATE TABLE renamed_{name} AS SELECT * FROM reports.{_REPORT}".encode())
        connection.execute("CREATE VIEW replaced AS SELECT * FROM renamed_shown")
        rename = (
            "ALTER TABLE renamed_shown RENAME TO renamed_before",
            "ALTER TABLE renamed_next RENAME TO renamed_shown",
            "ALTER TABLE renamed_before RENAME TO renamed_next",
        )
        view = ("CREATE OR REPLACE VIEW replaced AS SELECT * FROM renamed_next",)
        for _ in range(rounds):
            switches = {
                "run.report, run.copy": (f"reports.{_REPORT}", ours.staged()),
                "rename": ("renamed_shown", _in_one_transaction(report, rename)),
                "CREATE OR REPLACE VIEW": ("replaced", _in_one_transaction(report, view)),
            }
            for name, (relation, switch) in switches.items():
                found.setdefault(name, []).append(_measured(report, relation, switch))
            ours.tidy()
    lines = [
        f"| {name} | {_ms(median(d.held for d in delays))} | {_ms(max(d.held for d in delays))} "
        f"| {_ms(median(d.reader for d in delays))} | {_ms(max(d.reader for d in delays))} "
        f"| {_ms(median(d.usual for d in delays))} |"
        for name, delays in found.items()
    ]
    words = (
        f"{rows:,} rows take the place of as many, {rounds} times each way in turn, while one reader who has looked "
        f"keeps its transaction open for {_OPEN:.0f} s more, and {_READERS} others come with one short query after the "
        "other. Held: from the first statement of the transaction that switches to its end. The goals, in mode "
        "`replace`: held at most 50 ms, a reader delayed at most 50 ms."
    )
    return "\n".join([HEADING, "", words, "", *_TABLE, *lines, ""])


_TABLE = (
    "| | held ms, median | longest | a reader's longest query ms, median | longest | just before, median |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
