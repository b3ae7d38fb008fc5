"""A reader of the reports who never rests, and who must always see whole reports, all of one moment."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import psycopg

from .family import REPORTS, TWINS
from .family_model import DIGEST
from .report_history import Digests

_PAUSE = 0.02
"""Seconds within each transaction, so that much can happen between its two reads; and between transactions."""

READ = ("r1", "r2")
"""The reports that are read."""
_READ = """
SELECT count(*), sum(n), min(total), max(total), min(marker), max(marker), min(attempt), max(attempt) FROM reports.{}
"""


class Seen(NamedTuple):
    """What the reports showed, in one moment."""

    marker: str
    attempt: str
    rows: int


class ReportReader:
    """Reads one of the twins and then every report in one REPEATABLE READ transaction, again and again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.seen: dict[Seen, int] = {}
        """What was seen, and in how many transactions."""
        self.moments: set[tuple[int, Digests]] = set()
        """The ledger's last row and what the reports showed beside it; to be taken out by who has judged them."""
        self.last: Seen | None = None
        self.rounds = 0
        self.faults: list[str] = []
        """What no reader may ever see."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="report-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the reader hangs: somebody is in its way"

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with psycopg.connect(self._url, connect_timeout=2, options="-c lock_timeout=5s") as connection:
                    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                    while not self._over.is_set():
                        self._read(connection)
                        self._over.wait(_PAUSE)
            except psycopg.errors.LockNotAvailable as error:
                self.faults.append(f"a reader had to wait for a lock: {error}")
            except psycopg.errors.SerializationFailure:
                continue  # as documented: a report was made anew, and this moment of it cannot be seen any more
            except psycopg.OperationalError:
                self._over.wait(_PAUSE)  # its server was crashed by the test
            except psycopg.Error as error:
                self.faults.append(f"a reader got {error!r}")
                self._over.wait(_PAUSE)

    def _read(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            one = self._look(connection, TWINS[0])
            self._over.wait(_PAUSE)
            two = self._look(connection, TWINS[1])
            row = connection.execute("SELECT max(id) FROM kubescribe.publication").fetchone()
            digests = tuple(_first(connection, DIGEST.format(name)) for name in REPORTS)
        assert row is not None
        self.moments.add((row[0], digests))
        if one != two:
            self.faults.append(f"in one transaction r1 showed {one} and r2 {two}")
        if one is not None:
            self.seen[one] = self.seen.get(one, 0) + 1
        self.last = one
        self.rounds += 1

    def _look(self, connection: psycopg.Connection, report: str) -> Seen | None:
        row: tuple[Any, ...] | None = connection.execute(_READ.format(report).encode()).fetchone()
        assert row is not None
        count, total_of_n, least, most, marker, last_marker, attempt, last_attempt = row
        if not (count == least == most and total_of_n == count * (count + 1) // 2):
            self.faults.append(f"{report} is not whole: {row}")
        if marker != last_marker or attempt != last_attempt:
            self.faults.append(f"{report} mixes two attempts: {row}")
        return Seen(marker, attempt, count) if count else None


def _first(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
