"""``kubescribe cancel RUN``: end a run, and see that it is gone."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ...domain.errors import KubescribeError
from ...domain.exit_code import ExitCode
from ...domain.run import Run
from ...domain.run_status import RunStatus
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import METHOD, find_run, reading

_POLL = 0.2
"""Seconds between two looks."""
_MARGIN = 20.0
"""Seconds that a cancel may take beside a heartbeat and the grace of its payload."""


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Cancel a run; 0: it is CANCELLED, 1: it had succeeded before, 75: it is not seen gone yet."""

    async def cancel(container: Container) -> int:
        run_id = await find_run(container.run_log(), args.run, settings.tenant)
        run = await container.cancel_run()(
            run_id, actor=settings.actor, reason=args.reason, tenant=settings.tenant, method=METHOD
        )
        if not args.no_wait:
            run = await _until_gone(
                container, run, settings.actor, (settings.heartbeat + settings.grace).total_seconds() + _MARGIN
            )
        if args.json:
            terminal.print_json(run)
        else:
            terminal.console().print(f"{run.id} of {run.pipeline}: {run.status}  {run.message or ''}", markup=False)
        if run.status is RunStatus.CANCELLED or (args.no_wait and run.status is RunStatus.CANCELLING):
            return ExitCode.DONE
        return ExitCode.TEMPORARY if run.status is RunStatus.CANCELLING else ExitCode.PAYLOAD

    return reading(settings, cancel)


async def _until_gone(container: Container, run: Run, actor: str, patience: float) -> Run:
    """Finish the cancel from here: where nobody reconciles, nobody else would."""
    clock: Any = container.clock()
    until, said = clock.monotonic() + patience, ""
    while not run.status.terminal and clock.monotonic() < until:
        try:
            for found in await container.run_log().open_runs():
                if found.run.id == run.id:
                    await container.finish_cancel()(found, actor=actor)
        except KubescribeError as error:
            if said != str(error):
                said = str(error)
                print(f"kubescribe: {said}", file=sys.stderr)
        run = await container.run_log().get(run.id, tenant=run.tenant)
        if not run.status.terminal:
            await clock.sleep(_POLL)
    return run
