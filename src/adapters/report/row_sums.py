"""The sum of rows' hashes in SQL: the same for the same rows, in whatever order they lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...application.report_account import Gone
from ...domain.row_sum import RowSum
from .names import quoted

SETTINGS = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'"
)
"""What text depends on. For the transaction in which sums are made."""


def sums(names: Iterable[str], source: str) -> str:
    """A query for the number of rows of ``source`` and the two sums over these columns, for :func:`gone`.

    A row counts as its text, without the nulls at its end: a column that is added later changes no sum. The hash is
    the one that hash partitioning stores data by, so PostgreSQL keeps it the same from release to release.
    """
    row = f"rtrim(ROW({', '.join(quoted(name) for name in names)})::text, ',)') COLLATE \"C\""
    # OFFSET keeps the planner from making the text once for each hash
    return (
        "SELECT count(*), coalesce(sum(hashtextextended(line, 1)), 0)::text, "  # noqa: S608 - quoted
        f"coalesce(sum(hashtextextended(line, 2)), 0)::text FROM (SELECT {row} AS line FROM {source} OFFSET 0) AS lines"
    )


def gone(row: Sequence[object]) -> Gone:
    """The answer to :func:`sums`."""
    count, first, second = row
    return Gone(int(str(count)), RowSum.of(int(str(first)), int(str(second))))
