"""Where the worker puts rows before anybody may see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from ...domain.report import ReportSpec, Staged
from .source import Relay

if TYPE_CHECKING:
    import polars


class Staging(Protocol):
    """Rows on their way into a report; called by the worker, in its own thread.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when the report database is away.
    """

    def prepare(self) -> None:
        """See that this role may publish, before the work begins; raises :class:`DatabaseRefused` naming the right."""
        ...

    def stage(self, spec: ReportSpec, frames: Iterable[polars.DataFrame], *, run_id: UUID, attempt_id: UUID) -> Staged:
        """Keep the rows as a new version that no reader can see, exactly as they are, in bounded memory.

        Types are strict: a column whose type cannot be kept exactly raises :class:`UnsupportedType`; columns or a
        mode that do not fit the report as it is raise :class:`ReportMismatch` with each difference, before any row
        is written (further columns at the end fit). Several frames must have one schema. Staging a report again in
        the same attempt replaces what this attempt had staged for it.
        """
        ...

    def relay(self, spec: ReportSpec, rows: Relay, *, run_id: UUID, attempt_id: UUID) -> Staged:
        """The same for rows that come undecoded, into columns of exactly the types that they have where they are from.

        Raises :class:`ReportMismatch` for bytes of a format that this report database does not read.
        """
        ...

    def close(self) -> None:
        """Let go of connections; what was staged stays."""
        ...
