"""The command line of what looks at reports, and undoes a publication."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ....domain.row_format import RowFormat
from .parser import json_flag

if TYPE_CHECKING:
    from .parser import Commands

_WHERE = "like day=2026-03-01, delay>=15, name~pole, 'code in A,B' or 'gate is null'; repeatable: all have to hold"


def add_commands(commands: Commands) -> None:
    """Add them."""
    reports = commands.add_parser("reports", help="list reports, or show the first rows of one")
    reports.add_argument("report", nargs="?")
    reports.add_argument("--limit", type=int, default=10, help="rows to show")
    json_flag(reports)

    _rows(commands.add_parser("rows", help="rows of a report, as it is or as it was"))

    diff = commands.add_parser("diff", help="what differs between two versions of a report")
    diff.add_argument("report")
    diff.add_argument("before", type=int, metavar="VERSION")
    diff.add_argument("after", type=int, nargs="?", metavar="VERSION", help="default: what is shown now")
    json_flag(diff)

    rollback = commands.add_parser("rollback", help="show a report again as it was before")
    rollback.add_argument("report")
    rollback.add_argument(
        "--to", type=int, metavar="VERSION", help="as it was after this publication (default: the one before the last)"
    )
    rollback.add_argument("--reason", help="kept on record")
    json_flag(rollback)

    verify = commands.add_parser("verify", help="are a report's rows those that were published? (0: yes, 65: no)")
    verify.add_argument("report")
    json_flag(verify)


def _rows(command: argparse.ArgumentParser) -> None:
    command.add_argument("report")
    command.add_argument("--where", action="append", default=[], metavar="CONDITION", help=_WHERE)
    command.add_argument("--columns", metavar="NAME,…", help="these only (default: all)")
    command.add_argument(
        "--sort", metavar="NAME,…", help="by these columns; 'NAME desc': downwards (default: by the key)"
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, help="as it was after this publication")
    which.add_argument("--as-of-run", metavar="RUN", help="as this run or rollback left it")
    command.add_argument("--limit", type=int, metavar="N", help="rows (default: a page of 20, or all with --format)")
    command.add_argument("--after", metavar="CURSOR", help="the page after this one")
    command.add_argument("--format", choices=[one.value for one in RowFormat], help="a file, with all rows")
    command.add_argument("--output", metavar="FILE", help="write it here (default: standard output)")
    command.add_argument("--formula-safe", action="store_true", help="CSV that no spreadsheet takes for formulas")
    json_flag(command)
