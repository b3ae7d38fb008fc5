"""``kubescribe rollback REPORT``: readers see an earlier version again."""

from __future__ import annotations

import argparse
import sys

from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Roll a report back."""

    async def roll_back(container: Container) -> int:
        publication, recorded = await container.roll_back_report()(
            args.report, to=args.to, actor=settings.actor, reason=args.reason
        )
        if not recorded:
            print(
                "kubescribe: RunLog cannot be written to, so the rollback is in the report database's ledger only",
                file=sys.stderr,
            )
        if args.json:
            terminal.print_json(publication)
        else:
            terminal.console().print(
                f"{args.report} is again as version {publication.version} left it ({publication.shown:,} rows)"
            )
        return 0

    return reading(settings, roll_back)
