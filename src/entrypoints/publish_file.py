"""The pipeline behind ``kubescribe publish``: a file's rows become a report. Run by the worker like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..application.authoring.context import Context
from ..application.authoring.declaration import AnyPipeline, pipeline
from ..domain.errors import FileUnreadable
from .file_order import PARQUET, FileOrder

if TYPE_CHECKING:
    import polars as pl

_INTEGER = r"^-?(0|[1-9][0-9]{0,18})$"
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$|^(NaN|-?Infinity|-?inf)$"


def file_pipeline(name: str, order: FileOrder) -> AnyPipeline:
    """A pipeline that publishes the file and does nothing else."""

    def publish(run: Context, report: str, file: str, key: tuple[str, ...] = ()) -> None:
        """A file, published as a report."""
        run.report(report, frames_of(Path(order.path), file), key=key)

    return pipeline(name, reports=(order.report,))(publish)


def frames_of(path: Path, file: str) -> Iterator[pl.DataFrame]:
    """The rows of the file, which messages call ``file``; raises :class:`FileUnreadable`.

    Parquet comes in batches, with its own types. CSV has a header, and comes whole: a column of whole numbers within
    64 bits, of numbers, or of true and false throughout becomes that; everything else stays the text that it is
    (``007`` is no number), and an unquoted empty field is null.
    """
    import polars as pl

    try:
        if path.suffix == PARQUET:
            yield from _parquet(path)
        else:
            yield _typed(pl.read_csv(path.read_bytes(), infer_schema=False), file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise FileUnreadable(
            file, str(error).strip().splitlines()[0] if str(error).strip() else "it is empty"
        ) from None


def _parquet(path: Path) -> Iterator[pl.DataFrame]:
    import polars as pl

    rows, some = pl.scan_parquet(path, glob=False), False
    for frame in rows.collect_batches(chunk_size=100_000, maintain_order=True):
        some = True
        yield frame
    if not some:
        yield rows.collect_schema().to_frame()


def _typed(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    import polars as pl

    # polars calls the second of two columns of one name `name_duplicated_0`
    twice = [name for name in frame.columns if f"{name}_duplicated_0" in frame.columns]
    if twice:
        raise FileUnreadable(file, f"it has several columns called {', '.join(twice)}")
    return pl.DataFrame([_narrowed(values.alias("")).alias(name) for name, values in frame.to_dict().items()])


def _narrowed(text: pl.Series) -> pl.Series:
    import polars as pl

    if text.null_count() == text.len():
        return text
    if text.str.contains(_INTEGER).all():
        numbers = text.cast(pl.Int64, strict=False)
        return numbers if numbers.null_count() == text.null_count() else text
    if text.str.contains(_NUMBER).all():
        numbers = text.cast(pl.Float64, strict=False)
        return numbers if numbers.null_count() == text.null_count() else text
    if text.is_in(["true", "false"]).all():
        return text == "true"
    return text
