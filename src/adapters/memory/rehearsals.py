"""What staged rows would change, in memory."""

from __future__ import annotations

import polars as pl
from polars.selectors import by_name

from ...application.rehearsal_scope import Change, Rehearsal, Scope, difference, is_numeric, rehearsal
from ...domain.difference import ColumnTotal, ReportDifference, RowTotals
from ...domain.errors import Fenced
from ...domain.report import Staged
from .report_database import MemoryReportDatabase


class MemoryRehearsals:
    """Implements :class:`~kubescribe.application.ports.rehearsals.Rehearsals`."""

    def __init__(self, database: MemoryReportDatabase) -> None:
        self._database = database

    async def difference(self, staged: Staged) -> ReportDifference:
        """See the port."""
        database, name = self._database, staged.spec.name
        with database.transaction():
            if staged.version not in database.versions:
                raise Fenced(staged.run_id, f"what it had staged for report {name} was discarded")
            shown = database.shown.get(name)
            how = rehearsal(staged, database.shapes.get(name) if shown else None)
            new = database.versions[staged.version].frame
            live = database.rows(name) if shown else new.clear()
            scope = _scope(staged, how, live, new)
            known = how.scope is Scope.NONE or how.by_key
            return difference(
                staged,
                how,
                version=shown.version if shown else None,
                rows_before=live.height,
                rows_in_scope=scope.height,
                change=_change(staged.spec.key, how, scope, new) if how.by_key else None,
                totals=None if known else (_totals(how, scope), _totals(how, new)),
            )


def _scope(staged: Staged, how: Rehearsal, live: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    match how.scope:
        case Scope.ALL:
            return live
        case Scope.NONE:
            return live.clear()
        case Scope.SAME_KEYS:
            named = staged.spec.key
        case Scope.SAME_PARTITIONS:
            named = staged.spec.partition_by
    return live.join(new.select(by_name(*named)).unique(), on=by_name(*named), how="semi", nulls_equal=True)


def _change(key: tuple[str, ...], how: Rehearsal, scope: pl.DataFrame, new: pl.DataFrame) -> Change:
    names = [*key, *(column.name for column in how.beside(key))]
    before = {row[: len(key)]: row for row in scope.select(names).rows()}
    after = {row[: len(key)]: row for row in new.select(names).rows()}
    return Change(
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        changed=sum(repr(before[one]) != repr(after[one]) for one in before.keys() & after.keys()),
    )


def _totals(how: Rehearsal, frame: pl.DataFrame) -> RowTotals:
    columns = []
    for column in how.common:
        values = frame.get_column(column.name)
        present = values.drop_nulls()
        total = str(present.sum()) if is_numeric(column) and len(present) else None
        columns.append(ColumnTotal(name=column.name, nulls=values.null_count(), sum=total))
    return RowTotals(rows=frame.height, columns=tuple(columns))
