"""``kubescribe schedule lint``: what is wrong with schedules; and the same as warnings beside other output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from ...application.authoring.registry import Registry
from ...domain.exit_code import ExitCode
from ...domain.pipeline import Pipeline
from ...domain.schedule_lint import ScheduleFinding, lint
from ..settings import Settings
from . import terminal

_SHOWN = 5


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List the findings; with ``--check`` one of them is exit code 65. Needs no database."""
    pipelines = Registry.load(settings.pipelines).pipelines()
    found = lint(pipelines, datetime.now(UTC))
    if args.json:
        terminal.print_json(found)
    elif found:
        console = terminal.console()
        for one in found:
            console.print(f"{_whose(one)} ({one.fault})", style="bold", markup=False)
            for sentence in (one.what, one.why, one.remedy):
                console.print(f"  {sentence[:1].upper()}{sentence[1:]}.", markup=False)
    else:
        count = sum(1 for one in pipelines if one.schedule is not None)
        print(f"No finding; {count} of {len(pipelines)} pipelines have a schedule.")
    return ExitCode.PRECONDITION if args.check and found else ExitCode.DONE


def warn(pipelines: Sequence[Pipeline]) -> None:
    """Say the first findings on standard error, where they are in nobody's way."""
    found = lint(pipelines, datetime.now(UTC))
    for one in found[:_SHOWN]:
        print(f"kubescribe: warning: {_whose(one)}: {one}", file=sys.stderr)
    if len(found) > _SHOWN:
        print(f"kubescribe: {len(found) - _SHOWN} more: kubescribe schedule lint", file=sys.stderr)


def _whose(finding: ScheduleFinding) -> str:
    first, *others = finding.pipelines
    return f"{first} and {len(others)} others" if others else first
