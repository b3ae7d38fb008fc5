"""A report's rows as a file that goes with a mail: few of them, and as a spreadsheet may open them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence

from ..domain.announcement import Attachment, one_line
from ..domain.errors import KubescribeError
from ..domain.report_query import PAGE_LIMIT, RowQuery
from .ports.report_reader import ReportReader, Row
from .ports.row_encoder import RowEncoder

REPORTS = 3
"""Of one message."""
ROWS = PAGE_LIMIT
"""Of one file."""
BYTES = 1_000_000
"""Of one file; a report that is longer is not attached."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class AttachReports:
    """Reads the beginning of each report. What cannot be read is said, and no error: the message goes without it."""

    def __init__(self, reader: Callable[[], ReportReader], encoder: RowEncoder) -> None:
        """``reader`` may raise where there is no report database."""
        self._reader = reader
        self._encoder = encoder

    async def __call__(self, reports: Sequence[str]) -> tuple[tuple[Attachment, ...], tuple[tuple[str, str], ...]]:
        """The files, and for each report its name and what is to be known of its file."""
        files: list[Attachment] = []
        said: list[tuple[str, str]] = []
        for report in reports[:REPORTS]:
            try:
                file, what = await self._file(report)
            except KubescribeError as error:
                file, what = None, f"could not be attached: {error}"
            if file is not None:
                files.append(file)
            said.append((f"report {one_line(report, 100)}", one_line(what, 300)))
        if len(reports) > REPORTS:
            said.append(("more reports", f"{len(reports) - REPORTS:,}; a message has {REPORTS} at most"))
        return tuple(files), tuple(said)

    async def _file(self, report: str) -> tuple[Attachment | None, str]:
        page = await self._reader().page(RowQuery(report=report), limit=ROWS)

        async def batches() -> AsyncIterator[tuple[Row, ...]]:
            if page.rows:
                yield page.rows

        data = b"".join([piece async for piece in self._encoder.encode(page.columns, batches())])
        if len(data) > BYTES:
            return None, f"not attached: {len(page.rows):,} rows of it are more than {BYTES:,} bytes"
        name = _UNSAFE.sub("_", f"{report[:100]}_v{page.source.version}").strip(".") or "report"
        of = "" if page.next is None else f"the first {len(page.rows):,} of {page.source.rows:,} rows"
        return Attachment(f"{name}.{self._encoder.extension}", data), of or f"all {len(page.rows):,} rows"
