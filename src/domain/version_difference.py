"""What differs between two versions of a report."""

from __future__ import annotations

import msgspec

from .report import Column


class ColumnDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One column that both states have, with the same type."""

    name: str
    changed: int | None = None
    """Rows of the same key that have another value in it; None where there is no key."""
    nulls_before: int | None = None
    """With the figures below: where there is no key."""
    nulls_after: int | None = None
    sum_before: str | None = None
    """Of a column of numbers, as text; a sum of floats may differ in its last digits with the order of the rows."""
    sum_after: str | None = None


class VersionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of two states, compared in the columns that both have."""

    key: tuple[str, ...] = ()
    """The columns by which rows were recognised; empty: rows were compared whole."""
    rows_before: int
    rows_after: int
    added: int
    """Rows whose key is new; without a key, rows that are there more often than before."""
    removed: int
    """Rows whose key is gone; without a key, rows that are there less often than before."""
    changed: int | None = None
    """Rows of the same key with other values; None where there is no key: such a row is one removed and one added."""
    columns: tuple[ColumnDifference, ...] = ()
    columns_before: tuple[Column, ...] = ()
    """Columns that only the earlier state has, or has with this other type."""
    columns_after: tuple[Column, ...] = ()
    """Columns that only the later state has, or has with this other type."""

    @property
    def equal(self) -> bool:
        """Whether nothing differs, neither rows nor columns."""
        return not (self.added or self.removed or self.changed or self.columns_before or self.columns_after)


def common_columns(before: tuple[Column, ...], after: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that both have with the same type, in the order of ``after``."""
    there = set(before)
    return tuple(column for column in after if column in there)


def only_in(one: tuple[Column, ...], other: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of ``one`` that ``other`` lacks or has with another type."""
    there = set(other)
    return tuple(column for column in one if column not in there)
