"""Rows as Parquet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ...application.ports.report_reader import Row
from ...domain.report import Column
from .arrow_frame import frame_of, frame_schema

_GROUP = 50_000
"""Rows of a row group, which is what the writer holds at a time."""
_WAITING = 16
"""Pieces of the file that may wait to be taken."""


class ParquetRows:
    """Implements :class:`~kubescribe.application.ports.row_encoder.RowEncoder`: zstd, row groups of 50,000 rows.

    polars writes in threads of its own: they ask this loop for the next batch, and bring it what they have written.
    """

    media_type = "application/vnd.apache.parquet"
    extension = "parquet"
    variant = "parquet"

    async def encode(
        self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]
    ) -> AsyncIterator[bytes]:
        """See the port."""
        writing = _Writing(columns, batches)
        sinking = asyncio.create_task(asyncio.to_thread(writing.sink))
        try:
            while (piece := await writing.next_piece(sinking)) is not None:
                yield piece
            writing.check()
        finally:
            writing.give_up()
            with contextlib.suppress(Exception):
                while await writing.next_piece(sinking) is not None:
                    pass


class _Writing:
    """Between the loop and polars' threads. No error gets into polars: it would be told in its words, and printed."""

    def __init__(self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]) -> None:
        self._given_up = False
        self._asking: asyncio.Task[Any] | None = None
        self._columns, self._batches = columns, batches
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._error: BaseException | None = None

    def sink(self) -> None:
        """Write it all; returns when it is written, or given up."""
        frames = register_io_source(self._frames, schema=frame_schema(self._columns), is_pure=False)
        frames.sink_parquet(self, compression="zstd", row_group_size=_GROUP, maintain_order=True)  # type: ignore[call-overload]

    async def next_piece(self, sinking: asyncio.Task[None]) -> bytes | None:
        """What was written next; None at the end. Raises what ``sink`` raised."""
        getting = asyncio.create_task(self._pieces.get())
        try:
            await asyncio.wait({getting, sinking}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            if not self._pieces.empty():
                return self._pieces.get_nowait()
            sinking.result()
            return None
        finally:
            getting.cancel()

    def give_up(self) -> None:
        """Let polars' threads come to their end, whatever they wait for. Called in the loop, as all that asks it is."""
        self._given_up = True
        if self._asking is not None:
            self._asking.cancel()

    def check(self) -> None:
        """Raise what the rows came to grief on."""
        if self._error is not None:
            raise self._error

    # -- called by polars, in its threads --------------------------------------------------------------------------

    def write(self, piece: bytes) -> int:
        """Bring a piece, and wait until there is room."""
        if not self._given_up and self._error is None:
            asyncio.run_coroutine_threadsafe(self._pieces.put(bytes(piece)), self._loop).result()
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back here."""

    def _frames(self, *_: Any) -> Iterator[pl.DataFrame]:
        while not self._given_up:
            try:
                rows = asyncio.run_coroutine_threadsafe(self._next_batch(), self._loop).result()
                frame = None if rows is None else frame_of(self._columns, rows)
            except BaseException as error:
                self._error = error
                return
            if frame is None:
                return
            yield frame

    async def _next_batch(self) -> tuple[Row, ...] | None:
        if self._given_up:
            return None
        # Noted here and not in the thread that asks: this may wait already before that thread goes on.
        self._asking = asyncio.current_task()
        try:
            return await anext(self._batches, None)
        finally:
            self._asking = None
