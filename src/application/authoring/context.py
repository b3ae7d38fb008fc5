"""What a pipeline's function gets as its first argument: the run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from ...domain.checks import Check
from ...domain.errors import (
    DatabaseUnavailable,
    NotConfigured,
    ReportRepeated,
    ReportsMissing,
)
from ...domain.note import NoteKind
from ...domain.query import Query
from ...domain.report import ReportSpec, Staged
from ..failpoints import failpoint
from ..ports.payload import Assignment
from ..ports.source import Reading, Relay, Source
from ..ports.staging import Staging
from .failure import Abandoned
from .frames import frames_of
from .report_spec import report_spec

if TYPE_CHECKING:
    import polars

Tell = Callable[[NoteKind, dict[str, Any]], None]
"""Says a line of the event stream."""

TEXT_LIMIT = 16_384
"""Characters of a note; what is longer is cut."""


class Tools(msgspec.Struct, frozen=True):
    """What a context works with. Each database is opened when it is first needed; None: it is not configured."""

    tell: Tell
    source: Callable[[], Source] | None
    staging: Callable[[], Staging] | None


class Context:
    """The run: read production, hand over reports, tell how it goes.

    Its methods may be called from several threads, but a report is handed over by one at a time.
    """

    def __init__(
        self,
        assignment: Assignment,
        tools: Tools,
        *,
        reports: tuple[str, ...] | None = None,
        parameters: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment, self._tools, self._declared, self._clock = assignment, tools, reports, clock
        self._parameters = MappingProxyType(dict(parameters or {}))
        self._started = clock()
        self._lock = threading.Lock()
        # Apart from the other: the rows of a report may come from a scan in another thread.
        self._reporting = threading.RLock()
        self._source: Source | None = None
        self._source_done = False
        self._staging: Staging | None = None
        self._names: dict[str, int] = {}
        self._reported: list[str] = []
        self._ending: BaseException | None = None

    # -- the run -------------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> UUID:
        """The run."""
        return self._assignment.run_id

    @property
    def attempt_id(self) -> UUID:
        """This try at the run."""
        return self._assignment.attempt_id

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters by name, defaults filled in: the same values that the function gets."""
        return self._parameters

    @property
    def deadline_in(self) -> float | None:
        """Seconds until the run is ended, below 0 if that is due; None: it has no deadline."""
        if self._assignment.run_deadline_in is None:
            return None
        return self._assignment.run_deadline_in - (self._clock() - self._started)

    # -- production ----------------------------------------------------------------------------------------------

    def read(self, query: str, /, *, name: str | None = None, **binds: Any) -> polars.DataFrame:
        """The whole result of a query on the production database.

        ``:month`` in the text is the value of ``month=``, sent apart from the text and with its type. All reads of a
        run see one moment of the database, unless the pipeline says ``snapshot="read"``. ``name`` is what the record
        and errors call the query; without it, that is the first table after FROM.
        """
        reading = self._start(query, name, binds, batch=None)
        (frame,) = reading
        self._tell_input(reading)
        return frame

    def scan(
        self, query: str, /, *, name: str | None = None, batch: int = 100_000, **binds: Any
    ) -> Iterator[polars.DataFrame]:
        """The same in frames of at most ``batch`` rows, at least one: for what is too large for the memory.

        The query starts with the call. Several scans may be under way; each is read once.
        """
        return self._scanned(self._start(query, name, binds, batch=batch))

    def source_done(self) -> None:
        """Release the production database: nothing will be read any more.

        A snapshot keeps production from tidying up, so say it before long work.
        """
        self._check_wanted()
        self._release_source()

    # -- reports -------------------------------------------------------------------------------------------------

    def report(
        self,
        name: str,
        rows: polars.DataFrame | polars.LazyFrame | Iterable[polars.DataFrame],
        *,
        key: str | Iterable[str] = (),
        checks: Check | Iterable[Check] = (),
        mode: str = "replace",
        partition_by: str | Iterable[str] = (),
        schema: str = "extend",
    ) -> None:
        """Hand over a report's rows. Readers see them when the run has succeeded, together with its other reports.

        ``key``: columns that identify a row, unique and never null. ``checks`` are tried before anything is
        published. An iterator's frames have one schema, and are taken in bounded memory. Once a run and report.

        ``mode`` is ``replace`` (these rows become the report), ``append`` (they are added), ``merge`` (they replace
        those of the same ``key``, the others are added) or ``replace_partition`` (they replace all rows of the
        partitions that occur in them, named by the values of ``partition_by``). ``schema="recreate"`` makes the
        report anew, with these rows alone, where its columns or its mode are others.
        """
        spec = report_spec(
            name, self._declared, key=key, checks=checks, mode=mode, partition_by=partition_by, schema=schema
        )
        self._hand_over(
            spec,
            lambda staging: staging.stage(
                spec, frames_of(spec.name, rows), run_id=self.run_id, attempt_id=self.attempt_id
            ),
        )

    def copy(
        self,
        query: str,
        report: str,
        /,
        *,
        key: str | Iterable[str] = (),
        checks: Check | Iterable[Check] = (),
        mode: str = "replace",
        partition_by: str | Iterable[str] = (),
        schema: str = "extend",
        name: str | None = None,
        **binds: Any,
    ) -> None:
        """Hand over the rows of a query as they are, at the speed of COPY: bytes from database to database.

        The report's columns get exactly the types that the query's have. The query, its ``name`` and binds are as for
        :meth:`read`, the rest as for :meth:`report`; nothing of the rows is ever in Python's hands.
        """
        spec = report_spec(
            report, self._declared, key=key, checks=checks, mode=mode, partition_by=partition_by, schema=schema
        )
        with self._reporting:
            self._check_new(spec)
            source, called = self._open_source(query, name)
            rows = source.relay(query, binds, name=called)
            self._hand_over(
                spec,
                lambda staging: staging.relay(spec, rows, run_id=self.run_id, attempt_id=self.attempt_id),
                after=lambda: self._tell_input(rows),
            )

    # -- the record ----------------------------------------------------------------------------------------------

    def metric(self, name: str, value: float) -> None:
        """Record a number; it has to be finite."""
        number = value if isinstance(value, (bool, int)) else float(value)
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError(f"metric {name} is {number}; a metric is a finite number")
        self._tell(NoteKind.METRIC, {"name": str(name), "value": number})

    def progress(self, fraction: float, text: str | None = None) -> None:
        """Say how far the work is, from 0 to 1, and in words; what lies outside counts as the nearer end."""
        number = float(fraction)
        data: dict[str, Any] = {"fraction": min(1.0, max(0.0, number)) if number == number else 0.0}
        if text is not None:
            data["text"] = _cut(str(text))
        self._tell(NoteKind.PROGRESS, data)

    def note(self, text: str) -> None:
        """Record a sentence for people."""
        self._tell(NoteKind.NOTE, {"text": _cut(str(text))})

    # -- for those who run it ------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Before the work begins: see that declared reports can be written, so that no hour is spent in vain."""
        if self._declared:
            with self._reporting:
                self._open_staging()

    def finish(self) -> tuple[str, ...]:
        """After the work: the reports that are staged; raises :class:`ReportsMissing` where a declared one is not."""
        missing = tuple(name for name in self._declared or () if name not in self._reported)
        if missing:
            raise ReportsMissing(missing)
        return tuple(self._reported)

    def close(self) -> None:
        """Let go of every connection."""
        self._release_source()
        with self._reporting:
            if self._staging is not None:
                self._staging.close()

    def abandon(self, error: BaseException | None = None) -> None:
        """From now on every call raises the error, or :class:`Abandoned`."""
        self._ending = error or Abandoned("the attempt was ended")

    # -- inside --------------------------------------------------------------------------------------------------

    def _check_wanted(self) -> None:
        if self._ending is not None:
            raise self._ending

    def _tell(self, kind: NoteKind, data: dict[str, Any]) -> None:
        self._check_wanted()
        self._tools.tell(kind, data)

    def _hand_over(
        self, spec: ReportSpec, stage: Callable[[Staging], Staged], *, after: Callable[[], None] = lambda: None
    ) -> None:
        with self._reporting:
            staging = self._check_new(spec)
            staged = stage(staging)
            self._reported.append(spec.name)
        after()
        failpoint("worker.staged")
        self._tell(
            NoteKind.OUTPUT,
            {
                "name": spec.name,
                "report": spec.name,
                "version": staged.version,
                "rows": staged.rows,
                "bytes": staged.bytes,
                "seconds": staged.seconds,
                "fingerprint": staged.fingerprint,
            },
        )

    def _check_new(self, spec: ReportSpec) -> Staging:
        self._check_wanted()
        staging = self._open_staging()
        if spec.name in self._reported:
            raise ReportRepeated(spec.name)
        return staging

    def _start(self, query: str, name: str | None, binds: dict[str, Any], batch: int | None) -> Reading:
        source, called = self._open_source(query, name)
        return source.read(query, binds, name=called, batch=batch)

    def _open_source(self, query: str, name: str | None) -> tuple[Source, str]:
        """The source, and what the query is called."""
        self._check_wanted()
        called = self._name(query, name)
        with self._lock:
            if self._source is None:
                if self._tools.source is None:
                    raise NotConfigured("run.read", "PROD_DB_URL")
                failpoint("worker.first_read")
                self._source = self._tools.source()
                if self._source_done:
                    self._source.done()
            return self._source, called

    def _name(self, query: str, name: str | None) -> str:
        """Unique in the run: a second query on flights is flights-2."""
        with self._lock:
            if name is None:
                wanted = Query(query, name="query").first_table()
                number = self._names["query-"] = self._names.get("query-", 0) + 1
                wanted = wanted or f"query-{number}"
            else:
                wanted = name
            count = self._names[wanted] = self._names.get(wanted, 0) + 1
            return wanted if count == 1 else f"{wanted}-{count}"

    def _scanned(self, reading: Reading) -> Iterator[polars.DataFrame]:
        try:
            for frame in reading:
                self._check_wanted()
                yield frame
        finally:
            if self._ending is None:
                self._tell_input(reading)

    def _tell_input(self, reading: Reading | Relay) -> None:
        self._tell(NoteKind.INPUT, msgspec.to_builtins(reading.record()))
        failpoint("worker.read")

    def _release_source(self) -> None:
        with self._lock:
            self._source_done = True
            source = self._source
        if source is not None:
            source.done()

    def _open_staging(self) -> Staging:
        if self._staging is None:
            if self._tools.staging is None:
                raise NotConfigured("run.report", "REPORT_DB_URL")
            if not self._assignment.may_stage:
                raise DatabaseUnavailable("report", "it was away when this attempt started, which so cannot publish")
            staging = self._tools.staging()
            staging.prepare()
            self._staging = staging
        return self._staging


def _cut(text: str) -> str:
    return (
        text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]} … cut after {TEXT_LIMIT} of {len(text)} characters"
    )
