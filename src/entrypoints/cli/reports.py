"""``kubescribe reports``: what there is to read, and the first rows of it."""

from __future__ import annotations

import argparse
import math
from typing import Any

from ...domain.errors import BadSetting
from ...domain.mode import Mode
from ...domain.report import Publication, Report
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading

_MOST = 10
"""Versions that are listed as kept: of a report that is appended to there may be thousands."""


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List reports, or show one."""
    if args.limit < 1:
        raise BadSetting("--limit", f"{args.limit} is less than 1")

    async def show(container: Container) -> int:
        catalogue = container.catalogue()
        if args.report is None:
            reports = await catalogue.reports()
            if args.json:
                terminal.print_json(reports)
            else:
                _list(reports)
            return 0
        report = await catalogue.get(args.report)
        ledger = await catalogue.ledger(args.report)
        head = await catalogue.head(args.report, limit=args.limit)
        if args.json:
            terminal.print_json({"report": report, "ledger": ledger, "head": [_plain(row) for row in head]})
        else:
            _print(report, ledger, head)
        return 0

    return reading(settings, show)


def _list(reports: tuple[Report, ...]) -> None:
    if not reports:
        terminal.console().print("No report was published yet. `kubescribe pipelines` lists what could publish one.")
        return
    rows = (
        (
            report.name,
            report.relation,
            report.current.version,
            f"{report.current.shown:,}",
            report.mode,
            terminal.when(report.current.published_at),
            report.current.kind,
            terminal.short(report.current.run_id),
        )
        for report in reports
    )
    columns = ("report", "view", "version", "rows", "mode", "published", "by", "run")
    terminal.show(terminal.table(columns, rows, right=("version", "rows")))


def _print(report: Report, ledger: tuple[Publication, ...], head: tuple[dict[str, Any], ...]) -> None:
    console = terminal.console()
    now = report.current
    console.print(
        f"[bold]{report.name}[/bold]: {now.shown:,} rows, version {now.version}, read it as {report.relation}"
    )
    names = [column.name for column in report.columns]
    rows = [["" if row[name] is None else terminal.printable(str(row[name])) for name in names] for row in head]
    fits = terminal.fitting(names, rows)
    numbers = [c.name for c in report.columns if not c.type.startswith(("text", "date", "time", "bool"))]
    terminal.show(terminal.table(names[:fits], [row[:fits] for row in rows], right=numbers))
    if fits < len(names):
        console.print(f"… and {len(names) - fits} more columns: {', '.join(names[fits:])}", style="dim")
    if now.shown > len(head):
        console.print(f"… {now.shown - len(head):,} more rows: kubescribe rows {report.name}", style="dim")
    console.print("\n[bold]publications[/bold]")
    publications = (
        (
            one.version,
            one.kind if one.kind != "publish" else one.mode,
            terminal.when(one.published_at),
            _changed(one),
            f"{one.shown:,}",
            one.actor,
            one.reason,
            terminal.short(one.run_id),
        )
        for one in ledger
    )
    columns = ("version", "kind", "at", "changed", "rows", "by", "reason", "run")
    terminal.show(terminal.table(columns, publications, right=("version", "changed", "rows"), wrap=("reason",)))
    console.print(f"kept for a rollback: {_kept(report)}", style="dim")


def _changed(one: Publication) -> str:
    """``+12 ~3 -4``: rows that were inserted, updated and deleted."""
    figures = (("+", one.inserted), ("~", one.updated), ("-", one.deleted))
    return " ".join(f"{sign}{number:,}" for sign, number in figures if number)


def _kept(report: Report) -> str:
    if report.mode in (Mode.MERGE, Mode.REPLACE_PARTITION):
        return f"nothing, for mode {report.mode} overwrites rows"
    more = len(report.versions) - _MOST
    return ", ".join(map(str, report.versions[:_MOST])) + (f" and {more} more" if more > 0 else "")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinities; everything that it lacks becomes text."""
    return {name: value if _is_json(value) else str(value) for name, value in row.items()}


def _is_json(value: Any) -> bool:
    return isinstance(value, bool | int | None) or (isinstance(value, float) and math.isfinite(value))
