"""``kubescribe retry RUN``: run again what did not succeed."""

from __future__ import annotations

import argparse
import sys

from ...application.authoring.registry import Registry
from ..composition.container import Container
from ..settings import Settings
from .reading import METHOD, find_run, reading
from .trigger import say


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Make the new run, start its supervisor, and print the run's id."""

    async def retry(container: Container) -> int:
        run_id = await find_run(container.run_log(), args.run, settings.tenant)
        retried = await container.retry_run()(
            run_id,
            Registry.load(settings.pipelines).get,
            actor=settings.actor,
            reason=args.reason,
            key=args.key,
            tenant=settings.tenant,
            method=METHOD,
        )
        if retried.note is not None:
            print(f"kubescribe: {retried.note}", file=sys.stderr)
        return say(retried.run, as_json=args.json, new=retried.new)

    return reading(settings, retry)
