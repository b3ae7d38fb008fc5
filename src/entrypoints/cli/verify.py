"""``kubescribe verify REPORT``: are the rows those that were published?"""

from __future__ import annotations

import argparse

import msgspec

from ...domain.exit_code import ExitCode
from ...domain.verification import Verification
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Verify a report: 0 where it is as it was published, 65 where it differs."""

    async def verify(container: Container) -> int:
        found = await container.verify_report()(args.report)
        if args.json:
            equal = not found.differences
            terminal.print_json({**msgspec.to_builtins(found), "equal": equal, "differences": found.differences})
        else:
            _print(found)
        return ExitCode.PRECONDITION if found.differences else ExitCode.DONE

    return reading(settings, verify)


def _print(found: Verification) -> None:
    console = terminal.console()
    if not found.differences:
        console.print(f"{found.report} is as it was published: {found.rows:,} rows, {found.checksum}", soft_wrap=True)
        return
    console.print(f"{found.report} is not as it was published:", soft_wrap=True)
    for difference in found.differences:
        console.print(f"  {difference}", soft_wrap=True)
    last = found.publication
    what = f"the ledger's last row is a {last.kind} by {last.actor}, run {last.run_id}"
    console.print(f"  {what}, {terminal.when(last.published_at)}", soft_wrap=True)
