"""Where the rows of one report go, inside the publishing transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...application.report_account import Account, account_of_change, account_of_first
from ...application.report_fit import Fit, fit
from ...domain.errors import ReportMismatch
from ...domain.report import Publication, Staged
from . import relations
from .names import qualified, versions_parent
from .row_changes import RowChange
from .rows import shape
from .shaping import NotReady, extension, make, remake, table_columns


class Placement:
    """One report's part of the transaction: where its rows go. ``shown``: the pointer; None: the report is new.

    ``last``: statements for the very end. ``version``: what the pointer is to say.
    """

    def __init__(
        self,
        connection: Any,
        item: Staged,
        report: Mapping[str, Any],
        location: Mapping[str, Any],
        shown: Mapping[str, Any] | None,
        before: Publication | None,
    ) -> None:
        self._connection, self.item, self._report, self._location = connection, item, report, location
        self._shown, self._before, self._schema = shown, before, report["schema_name"]
        now = shape(report)
        self._now, self.after = now, (now.takes(item.spec, item.columns) if shown else now)
        self.version = item.version
        self.account: Account = account_of_first(item)
        self.last: list[str] = []

    async def fill(self) -> Placement:
        """Put the rows where readers will find them; raises :class:`NotReady` where that has to be prepared anew."""
        connection, item, table = self._connection, self.item, table_of(self._location)
        if self._shown is None:
            await make(connection, item, self._schema, self.after.generation, table)
            await self._make_view()
            return self
        match fit(self._now, item.spec, item.columns):
            case Fit.RECREATE:
                generation = self.after.generation
                self.last = await remake(connection, item, self._schema, generation, self._location)
                return self
            case Fit.EXTEND:
                self.last = extension(item, self._schema, self._now, self._location)
            case Fit.SAME if not self._report["has_view"]:
                await self._make_view()
        if item.spec.mode.in_place:
            await self._change_rows(self._shown)
        elif not self.last and self._location["parent"] != versions_parent(item.spec.name, self.after.generation):
            await self._refuse_strange_parent()
        return self

    async def _make_view(self) -> None:
        # a foreign view of that name is refused, a dropped one made again
        await self._connection.execute(relations.make_view(self.item, self._schema, self.after.generation))

    async def _refuse_strange_parent(self) -> None:
        if self._location["parent"] is None:
            raise NotReady
        raise ReportMismatch(self.item.spec.name, ("it was made anew while this run was on its way: run it again",))

    async def _change_rows(self, shown: Mapping[str, Any]) -> None:
        assert self._before is not None
        base = qualified(shown["schema_name"], shown["table_name"])
        if self.last:
            there = await table_columns(self._connection, base)
            if any(there.get(column.name) != column.type for column in self.item.columns):
                raise NotReady
        rows = RowChange(
            self._connection, self.item, base=base, base_version=shown["version"], table=table_of(self._location)
        )
        self.account = account_of_change(self._before, self.item, await rows.apply())
        self.version = shown["version"]


def table_of(location: Mapping[str, Any]) -> str:
    """The qualified name of the table at this location."""
    return qualified(location["schema_name"], location["table_name"])
