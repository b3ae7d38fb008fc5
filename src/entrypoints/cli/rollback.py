"""``kubescribe rollback REPORT``: readers see an earlier version again."""

from __future__ import annotations

import argparse
import sys

from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import METHOD, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Roll a report back."""

    async def roll_back(container: Container) -> int:
        publication, changed, recorded = await container.roll_back_report()(
            args.report, to=args.to, actor=settings.actor, reason=args.reason, tenant=settings.tenant, method=METHOD
        )
        if not recorded:
            print(
                "kubescribe: RunLog cannot be written to, so the rollback is in the report database's ledger only; "
                "`kubescribe reconcile` completes the record when RunLog is back",
                file=sys.stderr,
            )
        if args.json:
            terminal.print_json(publication)
        elif changed:
            terminal.console().print(
                f"{args.report} is again as version {publication.version} left it ({publication.shown:,} rows)"
            )
        else:
            terminal.console().print(
                f"{args.report} shows version {publication.version} already ({publication.shown:,} rows); "
                "nothing was changed"
            )
        return 0

    return reading(settings, roll_back)
