"""What of a live report a rehearsed one is compared with: the same in every adapter of ``Rehearsals``."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ..domain.difference import ReportDifference, RowTotals
from ..domain.mode import Mode
from ..domain.report import Column, Staged
from .report_fit import Fit, Shape, fit

_NUMERIC = ("smallint", "integer", "bigint", "real", "double precision", "numeric")


class Scope(StrEnum):
    """Which live rows the staged ones would take the place of."""

    ALL = "all"
    """Every one."""
    NONE = "none"
    """None: rows are only added."""
    SAME_KEYS = "same_keys"
    """Those of the same keys."""
    SAME_PARTITIONS = "same_partitions"
    """Those of the partitions that occur among the staged rows."""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """How one staged report is compared with the live one."""

    scope: Scope
    common: tuple[Column, ...]
    """Columns that both have in one type, in the staged order."""
    by_key: bool
    """Whether a key, that both have, tells which row is which."""
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()

    def beside(self, key: tuple[str, ...]) -> tuple[Column, ...]:
        """The common columns without the key."""
        return tuple(column for column in self.common if column.name not in key)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter has counted: rows in scope that go, stay with other values, and staged ones that are new."""

    added: int
    removed: int
    changed: int


_SCOPES = {
    Mode.REPLACE: Scope.ALL,
    Mode.APPEND: Scope.NONE,
    Mode.MERGE: Scope.SAME_KEYS,
    Mode.REPLACE_PARTITION: Scope.SAME_PARTITIONS,
}


def rehearsal(staged: Staged, shape: Shape | None) -> Rehearsal:
    """How to compare; ``shape``: the live report's (None: there is none). Raises :class:`ReportMismatch`."""
    if shape is None:
        return Rehearsal(scope=Scope.NONE, common=staged.columns, by_key=bool(staged.spec.key))
    anew = fit(shape, staged.spec, staged.columns) is Fit.RECREATE
    live, mine = {one.name: one.type for one in shape.columns}, {one.name for one in staged.columns}
    common = tuple(one for one in staged.columns if live.get(one.name) == one.type)
    names = {one.name for one in common}
    return Rehearsal(
        scope=Scope.ALL if anew else _SCOPES[staged.spec.mode],
        common=common,
        by_key=bool(staged.spec.key) and set(staged.spec.key) <= names,
        columns_added=tuple(one.name for one in staged.columns if one.name not in live),
        columns_removed=tuple(one.name for one in shape.columns if one.name not in mine),
        columns_retyped=tuple(one.name for one in staged.columns if one.name in live and one.name not in names),
    )


def is_numeric(column: Column) -> bool:
    """Whether its values can be added up."""
    return column.type.split("(")[0] in _NUMERIC


def difference(
    staged: Staged,
    rehearsed: Rehearsal,
    *,
    version: int | None,
    rows_before: int,
    rows_in_scope: int,
    change: Change | None,
    totals: tuple[RowTotals, RowTotals] | None,
) -> ReportDifference:
    """The figures that follow from what was counted; ``change`` None where no key tells which row is which."""
    if rehearsed.scope is Scope.NONE:
        change = Change(added=staged.rows, removed=0, changed=0)
    return ReportDifference(
        report=staged.spec.name,
        mode=staged.spec.mode,
        version=version,
        rows_before=rows_before,
        rows_after=rows_before - rows_in_scope + staged.rows,
        added=change.added if change else None,
        removed=change.removed if change else None,
        changed=change.changed if change else None,
        totals_before=totals[0] if totals else None,
        totals_after=totals[1] if totals else None,
        columns_added=rehearsed.columns_added,
        columns_removed=rehearsed.columns_removed,
        columns_retyped=rehearsed.columns_retyped,
    )
