"""Rows as an Arrow IPC stream."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator

import polars as pl

from ...application.ports.report_reader import Row
from ...domain.report import Column
from .arrow_frame import frame_of

_END = struct.pack("<II", 0xFFFFFFFF, 0)
"""The end of a stream: a continuation mark, and a message of no length."""


class ArrowRows:
    """Implements :class:`~kubescribe.application.ports.row_encoder.RowEncoder`: one record batch for each batch."""

    media_type = "application/vnd.apache.arrow.stream"
    extension = "arrows"
    variant = "arrow"

    async def encode(
        self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]
    ) -> AsyncIterator[bytes]:
        """See the port."""
        schema, _ = _parts(frame_of(columns, ()))
        yield schema
        async for rows in batches:
            same, messages = _parts(frame_of(columns, rows))
            assert same == schema, "one schema gives one schema message"
            yield messages
        yield _END


def _parts(frame: pl.DataFrame) -> tuple[bytes, bytes]:
    """A stream of its own, taken apart: the message of the schema, and what is between it and the end."""
    written = io.BytesIO()
    # the oldest form: readers of other languages know no string views
    frame.write_ipc_stream(written, compat_level=pl.CompatLevel.oldest())
    whole = written.getvalue()
    _, length = struct.unpack_from("<II", whole)
    assert whole.endswith(_END)
    return whole[: 8 + length], whole[8 + length : -len(_END)]
