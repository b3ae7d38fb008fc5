"""Staging in memory."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from uuid import UUID

import polars as pl

from ...application.ports.source import ARROW_IPC, Relay
from ...application.report_columns import check_named, check_values, columns_of, differences
from ...application.report_fit import fit
from ...domain.errors import ReportMismatch
from ...domain.report import Column, ReportSpec, Staged
from .report_database import MemoryReportDatabase, Version
from .report_rows import digest, row_sum


class MemoryStaging:
    """Implements :class:`~kubescribe.application.ports.staging.Staging`. The checksum is over Arrow's IPC format."""

    def __init__(self, database: MemoryReportDatabase) -> None:
        self._database = database

    def prepare(self) -> None:
        """See the port."""
        with self._database.transaction():
            return

    def stage(self, spec: ReportSpec, frames: Iterable[pl.DataFrame], *, run_id: UUID, attempt_id: UUID) -> Staged:
        """See the port."""
        started = time.monotonic()
        parts = iter(frames)
        first = next(parts, None)
        if first is None:
            raise ReportMismatch(spec.name, ("there is no frame, and so no columns",))
        columns = columns_of(spec.name, first.schema)
        check_named(spec, columns)
        with self._database.transaction():
            if spec.name in self._database.shapes:
                fit(self._database.shapes[spec.name], spec, columns)
        frame = _together(spec.name, columns, first, parts)
        checksum, size = digest(frame)
        with self._database.transaction():
            staged = Staged(
                spec=spec,
                run_id=run_id,
                attempt_id=attempt_id,
                version=next(self._database.numbers),
                rows=frame.height,
                bytes=size,
                checksum=checksum,
                columns=columns,
                content=str(row_sum(frame)) if spec.mode.in_place else None,
                seconds=time.monotonic() - started,
            )
            self._drop_former(staged)
            self._database.versions[staged.version] = Version(staged, frame)
        return staged

    def relay(self, spec: ReportSpec, rows: Relay, *, run_id: UUID, attempt_id: UUID) -> Staged:
        """See the port."""
        if rows.format != ARROW_IPC:
            raise ReportMismatch(spec.name, (f"the rows come as {rows.format}, which this memory does not read",))
        frame = pl.read_ipc_stream(io.BytesIO(b"".join(rows)))
        return self.stage(spec, [frame], run_id=run_id, attempt_id=attempt_id)

    def close(self) -> None:
        """See the port."""

    def _drop_former(self, new: Staged) -> None:
        for number, version in list(self._database.versions.items()):
            old = version.staged
            same = (old.spec.name, old.run_id, old.attempt_id) == (new.spec.name, new.run_id, new.attempt_id)
            if same and not self._database.is_published(number):
                del self._database.versions[number]


def _together(
    report: str, columns: tuple[Column, ...], first: pl.DataFrame, rest: Iterable[pl.DataFrame]
) -> pl.DataFrame:
    frames = [first]
    for frame in rest:
        if frame.schema != first.schema:
            found = differences(columns, columns_of(report, frame.schema)) or ("two frames differ in their types",)
            raise ReportMismatch(report, tuple(f"in a later frame {difference}" for difference in found))
        frames.append(frame)
    for frame in frames:
        check_values(report, frame)
    return pl.concat(frames)
