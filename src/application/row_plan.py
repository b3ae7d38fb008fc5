"""How a question for rows is answered, whatever holds the report: which version, which columns, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from ..domain.errors import BadRowQuery, RunDidNotPublish, VersionGone, VersionNotKept
from ..domain.mode import Mode
from ..domain.report import Column
from ..domain.report_query import PAGE_LIMIT, Condition, RowQuery, chosen_columns, conditions, sort_columns
from .report_account import in_effect

OVERWRITING = frozenset({Mode.MERGE, Mode.REPLACE_PARTITION})
"""The modes in which what rows were before is not kept."""


class Line(msgspec.Struct, frozen=True):
    """A row of the ledger, as far as it says what is shown."""

    kind: str
    version: int
    run_id: UUID
    generation: int


class Choice(msgspec.Struct, frozen=True):
    """The version that a question is about."""

    version: int
    without: tuple[UUID, ...] = ()
    """In mode ``append``: the runs whose rows came later."""
    state: str = ""


class OrderColumn(msgspec.Struct, frozen=True):
    """One column of a total order. Nulls come last in both directions."""

    column: Column | None
    """None: the place of the row in its table."""
    descending: bool = False
    nullable: bool = True


class Plan(msgspec.Struct, frozen=True):
    """What is read of a version, and in which order."""

    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    order: tuple[OrderColumn, ...]

    @property
    def located(self) -> bool:
        """Whether the order needs the place of the row."""
        return any(one.column is None for one in self.order)


def choose(
    query: RowQuery, mode: Mode, ledger: Sequence[Line], kept: Sequence[int], pinned: int | None = None
) -> Choice:
    """The version; ``ledger`` has the oldest first, ``kept`` the newest, ``pinned`` is a cursor's.

    Raises :class:`VersionGone`, :class:`VersionNotKept`, :class:`RunDidNotPublish`, :class:`BadRowQuery`.
    """
    last = ledger[-1]
    wanted = _wanted(query, ledger) if pinned is None else pinned
    if wanted is None or (pinned is not None and mode in OVERWRITING):
        wanted = last.version
    if wanted not in kept:
        if any(line.version == wanted for line in ledger):
            raise VersionGone(query.report, wanted, _why(mode, kept))
        raise VersionNotKept(query.report, wanted, tuple(kept[:10]))
    if mode in OVERWRITING:
        return Choice(wanted, state=f"{wanted}-{last.run_id}")
    without: tuple[UUID, ...] = ()
    if mode is Mode.APPEND:
        effective = in_effect(line for line in ledger if line.generation == last.generation)
        place = [line.version for line in effective].index(wanted)
        without = tuple(line.run_id for line in effective[place + 1 :])
    return Choice(wanted, without, str(wanted))


def plan(query: RowQuery, there: tuple[Column, ...], key: tuple[str, ...], *, unique: bool) -> Plan:
    """``key``: columns by which rows are ordered after those asked for; ``unique``: it identifies them, never null.

    What is appended runs in the direction of the last column asked for, so that an index serves backwards too.
    """
    sort = sort_columns(query, there)
    strict = frozenset(key) if unique else frozenset()
    order = [OrderColumn(column, descending, column.name not in strict) for column, descending in sort]
    downwards = sort[-1][1] if sort else False
    named = {column.name for column, _ in sort}
    by_name = {column.name: column for column in there}
    order += [OrderColumn(by_name[name], downwards, not unique) for name in key if name not in named]
    if not (key and unique):
        order.append(OrderColumn(None, downwards, False))
    return Plan(chosen_columns(query, there), conditions(query, there), tuple(order))


def check_limit(limit: int) -> None:
    """Raise :class:`BadRowQuery` unless a page may have so many rows."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise BadRowQuery(f"a page has 1 to {PAGE_LIMIT} rows, and not {limit}")


def _wanted(query: RowQuery, ledger: Sequence[Line]) -> int | None:
    if query.as_of_run is None:
        return query.version
    if query.version is not None:
        raise BadRowQuery("a version and a run are both asked for; give one of them")
    for line in reversed(ledger):
        if line.run_id == query.as_of_run:
            return line.version
    raise RunDidNotPublish(query.report, query.as_of_run)


def _why(mode: Mode, kept: Sequence[int]) -> str:
    if mode in OVERWRITING:
        return f"mode {mode} overwrites rows, and keeps what is shown now alone (version {kept[0]})"
    more = " and older ones" if len(kept) > 10 else ""
    return f"it keeps {', '.join(map(str, kept[:10]))}{more}"
