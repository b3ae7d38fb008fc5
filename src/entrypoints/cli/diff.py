"""``kubescribe diff REPORT V1 [V2]``: what differs between two versions."""

from __future__ import annotations

import argparse

import msgspec

from ...domain.version_difference import ColumnDifference, VersionDifference
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Compare."""

    async def compare(container: Container) -> int:
        found = await container.compare_versions()(args.report, args.before, args.after)
        if args.json:
            terminal.print_json({**msgspec.to_builtins(found), "equal": found.equal})
        else:
            _print(args, found)
        return 0

    return reading(settings, compare)


def _print(args: argparse.Namespace, found: VersionDifference) -> None:
    console = terminal.console()
    after = f"version {args.after}" if args.after is not None else "what is shown now"
    how = f"by {', '.join(found.key)}" if found.key else "as whole rows, for they have no key in common"
    console.print(
        f"{args.report}: version {args.before} ({found.rows_before:,} rows) and {after} ({found.rows_after:,} rows), "
        f"compared {how}",
        markup=False,
        soft_wrap=True,
    )
    if found.equal:
        console.print("There is no difference.")
        return
    changed = "" if found.changed is None else f", {found.changed:,} changed"
    console.print(f"{found.added:,} rows added, {found.removed:,} removed{changed}")
    for sign, columns in (("-", found.columns_before), ("+", found.columns_after)):
        for column in columns:
            console.print(f"{sign} column {column.name} {column.type}", markup=False)
    if found.key:
        listed = [(one.name, f"{one.changed:,}") for one in found.columns if one.changed]
        if listed:
            terminal.show(terminal.table(("column", "rows changed"), listed, right=("rows changed",)))
        return
    others = [_figures(one) for one in found.columns if _differs(one)]
    if others:
        columns_ = ("column", "nulls before", "nulls after", "sum before", "sum after")
        terminal.show(terminal.table(columns_, others, right=columns_[1:]))


def _differs(one: ColumnDifference) -> bool:
    return (one.nulls_before, one.sum_before) != (one.nulls_after, one.sum_after)


def _figures(one: ColumnDifference) -> tuple[object, ...]:
    return (one.name, one.nulls_before, one.nulls_after, one.sum_before, one.sum_after)
