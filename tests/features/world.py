"""What every world of the scenarios can do."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

import msgspec

from kubescribe.domain.attempt import Attempt
from kubescribe.domain.event import Event
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.note import Note
from kubescribe.domain.report import Publication
from kubescribe.domain.report_query import RowQuery
from kubescribe.domain.run import Run
from kubescribe.domain.version_difference import VersionDifference

ORDERS = (
    ("2026-03-01", "ada", 10),
    ("2026-03-01", "ada", 20),
    ("2026-03-01", "bob", 5),
)
"""day, customer, amount"""


class Ended(msgspec.Struct, frozen=True):
    """How a command ended, or a request to the API, and what it said."""

    exit_code: int | None
    """None: it was a request."""
    told: str
    run_id: UUID | None = None
    status: int | None = None
    """Of a request's answer."""

    @property
    def done(self) -> bool:
        """Whether what was asked for is done, or accepted."""
        return self.exit_code == 0 if self.status is None else 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether it was a mistake of whoever asked, and is said to be one."""
        return self.exit_code == ExitCode.USAGE if self.status is None else 400 <= self.status < 500


class Browsed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of rows that somebody looked at."""

    rows: list[dict[str, Any]]
    """Values as text."""
    run_id: UUID
    """That made the version."""
    next: str | None


class Listing(msgspec.Struct, frozen=True):
    """A page of the history."""

    runs: list[UUID]
    next: str | None
    """Where the next page begins; None: this is the last."""


class Follower(Protocol):
    """Somebody who follows a log."""

    def line(self) -> str | None:
        """The next line, as soon as it is there; None: the log has ended."""
        ...

    def leave(self) -> None:
        """Go, whatever is still to come."""
        ...

    @property
    def place(self) -> str | None:
        """After which somebody else can go on; None: from the beginning only."""
        ...


class Record(msgspec.Struct, frozen=True):
    """Everything on record about a run."""

    run: Run
    attempts: tuple[Attempt, ...]
    notes: tuple[Note, ...]
    events: tuple[Event, ...]


class World(Protocol):
    """A place where pipelines run, with a door: the command line, or the API for whatever can be asked there."""

    @property
    def actor(self) -> str:
        """As whom we ask through the door."""
        ...

    def run(
        self,
        pipeline: str,
        parameters: dict[str, str],
        *,
        retries: int | None = None,
        run_id: UUID | None = None,
        rehearse: bool = False,
        slot: str | None = None,
    ) -> Ended:
        """Run, or rehearse, a pipeline to its end."""
        ...

    def run_and_kill(self, pipeline: str, *, after_publishing: bool) -> UUID:
        """Start a run, kill supervisor and worker in its middle or right after it has published; the run's id.

        Where nobody looks after the runs by himself, its record says "running" still.
        """
        ...

    def trigger(self, pipeline: str, parameters: dict[str, str], *, key: str | None = None) -> Ended:
        """Ask for a run that goes on by itself."""
        ...

    def trigger_and_wait_until_at_work(self, pipeline: str) -> UUID:
        """Trigger a run, and wait until its payload works; the run's id."""
        ...

    def until_ended(self, run_id: UUID) -> None:
        """Wait for the end of a triggered run."""
        ...

    def at_work(self, run_id: UUID) -> bool:
        """Whether something of the run still works."""
        ...

    def cancel(self, run_id: UUID, *, reason: str) -> Ended:
        """Cancel a run, and wait until it is gone."""
        ...

    def retry(self, run_id: UUID, *, key: str | None = None) -> Ended:
        """Ask for a new run of the same work."""
        ...

    def pause(self, pipeline: str, *, reason: str) -> None: ...

    def resume(self, pipeline: str) -> None: ...

    def page(self, limit: int, after: str | None) -> Listing:
        """A page of the history, from where the page before has ended."""
        ...

    def follow(self, run_id: UUID, after: str | None = None) -> Follower:
        """Follow a run's log, after this place."""
        ...

    def wrap(self, command: list[str]) -> Ended:
        """Run a command under KubeScribe."""
        ...

    def look_after_runs(self) -> None:
        """Reconcile once, or have it done."""
        ...

    def runs(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        ...

    def record(self, run_id: UUID) -> Record:
        """One run's record."""
        ...

    def output(self, run_id: UUID) -> list[str]:
        """What the run printed, line by line."""
        ...

    def rows(self, report: str) -> list[dict[str, Any]] | None:
        """What a reader sees, values as text; None: there is no such report."""
        ...

    def ledger(self, report: str) -> tuple[Publication, ...]:
        """The publications of a report, newest first."""
        ...

    def roll_back(self, report: str, *, to: int | None, reason: str | None) -> Ended:
        """Roll a report back."""
        ...

    def browse(self, query: RowQuery, *, limit: int = 20, after: str | None = None) -> tuple[Ended, Browsed | None]:
        """Look at a page of a report's rows."""
        ...

    def compare(self, report: str, before: int, after: int) -> VersionDifference:
        """Compare two versions."""
        ...

    def unpublished(self) -> int:
        """How many staged versions wait in the report database."""
        ...

    def notices(self) -> list[tuple[UUID, str]]:
        """Run and kind of every outbox row."""
        ...

    def audit(self) -> list[tuple[str, str]]:
        """Kind and actor of every event."""
        ...

    def seal(self) -> None:
        """See to it that every event is sealed."""
        ...

    def anchor(self) -> str:
        """The head of the chain, to be kept elsewhere."""
        ...

    def verify_audit(self, anchor: str | None = None) -> Ended:
        """Check the chain."""
        ...

    def tamper(self, kind: str, actor: str | None) -> None:
        """Give the newest event of a kind another actor, past all guards; None: remove it."""
        ...
