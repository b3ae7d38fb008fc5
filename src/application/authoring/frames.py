"""What an author may hand over as a report's rows, made into frames. Polars is known by its types' names alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars

CHUNK = 100_000
"""Rows of a lazy frame that are in memory at a time."""


def frames_of(report: str, rows: Any) -> Iterator[polars.DataFrame]:
    """The rows as frames, at least one if polars can say the schema; raises ``TypeError`` for anything else."""
    kind = _kind(rows)
    if kind == "DataFrame":
        return iter((rows,))
    if kind == "LazyFrame":
        return _collected(rows)
    if kind is None and isinstance(rows, Iterable) and not isinstance(rows, (str, bytes, dict)) and not _foreign(rows):
        return _checked(report, rows)
    raise TypeError(_wrong(report, rows))


def _collected(lazy: Any) -> Iterator[polars.DataFrame]:
    some = False
    for frame in lazy.collect_batches(chunk_size=CHUNK, maintain_order=True):
        some = True
        yield frame
    if not some:
        yield lazy.collect_schema().to_frame()


def _checked(report: str, frames: Iterable[Any]) -> Iterator[polars.DataFrame]:
    for frame in frames:
        if _kind(frame) != "DataFrame":
            raise TypeError(_wrong(report, frame))
        yield frame


def _kind(value: Any) -> str | None:
    """The polars class that it is an instance of, subclasses included."""
    for cls in type(value).__mro__:
        if cls.__module__.partition(".")[0] == "polars" and cls.__name__ in ("DataFrame", "LazyFrame", "Series"):
            return cls.__name__
    return None


def _foreign(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] in ("pandas", "pyarrow")


def _wrong(report: str, value: Any) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    remedy = "; polars.from_pandas makes one" if kind.startswith("pandas") else ""
    remedy = "; polars.from_arrow makes one" if kind.startswith("pyarrow") else remedy
    return (
        f"report {report} needs a polars DataFrame, a LazyFrame or an iterator of DataFrames, and got a {kind}{remedy}"
    )
