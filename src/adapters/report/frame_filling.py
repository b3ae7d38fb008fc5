"""Filling a version's table with frames: in binary where the encoder is installed and knows every type, else CSV."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import polars as pl

from .copy_in import Digest, Filled, Target, check_count, copying
from .frame_binary import binary_encoder
from .frame_csv import csv_chunks

_AHEAD = 2
"""Parts that are encoded before their turn."""
_ROWS, _BYTES = 20_000, 8 * 2**20
"""What is encoded at a time, at most (but one row is): a bound on memory."""


class FrameFilling:
    """Frames of one schema. ``check`` raises for one whose values the columns could not keep."""

    def __init__(self, report: str, frames: Iterable[pl.DataFrame], check: Callable[[pl.DataFrame], None]) -> None:
        self._report, self._frames, self._check = report, frames, check

    def __call__(self, target: Target) -> Filled:
        """See :class:`~kubescribe.adapters.report.copy_in.Filling`. The way is chosen before the first row."""
        first, rest = _first(self._frames)
        if first is None:
            return Filled(0)
        encoder = binary_encoder(first.schema, target.columns)
        digest, rows = Digest(), 0

        def encoded(part: pl.DataFrame) -> bytes:
            if encoder is None:
                return b"".join(csv_chunks(part))
            return digest.added(encoder.rows(part))

        with (
            copying(target, "csv" if encoder is None else "binary") as (cursor, copy),
            # One thread encodes while the next frame is made here, and another sends what is encoded.
            ThreadPoolExecutor(1, thread_name_prefix="encode") as thread,
        ):
            under_way: deque[Future[bytes]] = deque()
            if encoder is not None:
                copy.write(digest.added(encoder.header()))
            for frame in chain([first], rest):
                self._check(frame)
                for part in parts(frame):
                    under_way.append(thread.submit(encoded, part))
                    if len(under_way) > _AHEAD:
                        copy.write(under_way.popleft().result())
                rows += frame.height
            while under_way:
                copy.write(under_way.popleft().result())
            if encoder is not None:
                copy.write(digest.added(encoder.trailer()))
        same = encoder is not None and digest.is_that_of_the_copy(target)
        return check_count(self._report, Filled(cursor.rowcount, digest.result() if same else None), rows)


def parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in pieces that are small enough."""
    size = max(1, int(frame.estimated_size()))
    return frame.iter_slices(max(1, min(_ROWS, _BYTES * frame.height // size)))


def _first(frames: Iterable[pl.DataFrame]) -> tuple[pl.DataFrame | None, Iterator[pl.DataFrame]]:
    remaining = iter(frames)
    return next(remaining, None), remaining
