"""``kubescribe drift``: what of the cluster's CronJobs is not as it is declared."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ...application.authoring.registry import Registry
from ...domain.exit_code import ExitCode
from ..composition.drift import find_drift
from ..settings import Settings
from . import terminal
from .manifests import installation_of


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Compare; 65 where they differ, or break a rule."""
    pipelines = Registry.load(settings.pipelines).pipelines()
    found = asyncio.run(find_drift(settings, pipelines, installation_of(settings)))
    if args.json:
        terminal.print_json(found)
        return ExitCode.PRECONDITION if found.any else ExitCode.DONE
    sys.stdout.write(found.difference)
    for problem in found.problems:
        print(problem)
    if not found.any:
        print(f"{len(pipelines)} CronJobs in {settings.cluster.namespace} are as they are declared")
        return ExitCode.DONE
    counted = [
        f"{len(names)} {what}"
        for names, what in (
            (found.missing, "missing"),
            (found.changed, "changed"),
            (found.undeclared, "declared no more"),
            (found.problems, "against the rules"),
        )
        if names
    ]
    print(
        f"kubescribe: {settings.cluster.namespace} is not what is declared: {', '.join(counted)}; "
        "apply what `kubescribe manifests` renders",
        file=sys.stderr,
    )
    return ExitCode.PRECONDITION
