"""The work itself: a worker process around a pipeline, or any command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ...domain.note import NoteKind
from ...domain.pipeline import Pipeline


class Declared(msgspec.Struct, frozen=True, kw_only=True, tag="declared"):
    """The pipeline was found and its parameters are right; the worker waits for its assignment."""

    pipeline: Pipeline
    parameters: dict[str, Any]
    """As the function will get them, in JSON: defaults filled in."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The worker ends without having done anything: no such pipeline, or a bad parameter or declaration."""

    message: str


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="told"):
    """A line of the event stream, as the payload wrote it."""

    kind: NoteKind
    data: dict[str, Any]


class Raised(msgspec.Struct, frozen=True, kw_only=True, tag="raised"):
    """The pipeline raised, and this is what it said. Comes before the end."""

    error: str
    """The error's class and message."""
    exit_code: int
    """:class:`ExitCode`: what kind of failure it is."""
    retry: bool
    """False: the author or the error said that another attempt is useless."""
    after: float | None = None
    """Seconds that the next attempt should wait at least; None: as declared."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag="returned"):
    """The pipeline came to its end, and these reports are staged. A worker that ends with 0 and without this has not.

    An ``os._exit(0)`` halfway must not publish half of the reports.
    """

    reports: tuple[str, ...]


class Printed(msgspec.Struct, frozen=True, kw_only=True, tag="printed"):
    """Bytes that the payload wrote to its output, as they came."""

    stream: str
    """``out`` or ``err``."""
    data: bytes


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The payload is gone, and so is everything that it started. Always the last word."""

    exit_code: int
    """Below 0: minus the signal's number, as in :mod:`subprocess`."""
    memory_peak: int | None = None
    cpu_seconds: float | None = None
    memory_limit: int | None = None
    oom_killed: bool = False
    """The kernel's out-of-memory killer ended it, by the kernel's own count."""


Word = Declared | Refused | Told | Raised | Returned | Printed | Ended


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to begin. Written to its standard input, never to an argument or the environment."""

    run_id: UUID
    attempt_id: UUID
    run_deadline_in: float | None = None
    may_stage: bool = False
    """The attempt holds a fence."""
    production: str | None = None
    """libpq's connection string."""
    report: str | None = None
    report_schema: str = "reports"
    statement_timeout: float = 900.0
    snapshot_max_age: float = 900.0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the process tree uses now."""

    memory: int | None = None
    cpu_seconds: float | None = None


class Payload(Protocol):
    """One execution of the work, started once and ended once."""

    async def start(self, *, run_id: UUID, attempt_id: UUID) -> None:
        """Begin. A pipeline's worker declares itself and then waits; a command is at work at once."""
        ...

    def words(self) -> AsyncIterator[Word]:
        """Everything that it says, in order, until :class:`Ended`, which is the last. To be iterated once."""
        ...

    async def assign(self, assignment: Assignment) -> None:
        """Let a declared worker begin. Does nothing for a command."""
        ...

    @property
    def over(self) -> bool:
        """Whether it is gone, though what it said may still wait to be heard."""
        ...

    def usage(self) -> Usage:
        """A look at the process tree, cheap enough for every beat."""
        ...

    def terminate(self) -> None:
        """Ask the whole process group to end (SIGTERM). Does nothing when it is gone."""
        ...

    def kill(self) -> None:
        """End the whole process group (SIGKILL). Does nothing when it is gone."""
        ...
