"""``kubescribe reconcile``: one pass over the runs that nobody works on."""

from __future__ import annotations

import argparse
import sys

from ...application.authoring.registry import Registry
from ...domain.errors import KubescribeError
from ...domain.exit_code import ExitCode
from ...domain.report import Publication
from ..composition.container import Container
from ..composition.incidents import incident_pass
from ..composition.looking_after import one_pass
from ..composition.slots import slot_pass
from ..settings import Settings
from . import terminal
from .reading import reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Reconcile once; the exit code is 75 where some run could not be judged yet."""

    async def reconcile(container: Container) -> int:
        pipelines = Registry.load(settings.pipelines)
        slots = slot_pass(container, pipelines, fires=False)
        incidents = incident_pass(container, pipelines)
        passed = await one_pass(container, lambda name: pipelines.get(name).pipeline, slots, incidents)
        for refusal in passed.late:
            print(f"kubescribe: {refusal}", file=sys.stderr)
        done = passed.reconciled
        late = await _rollbacks(container, settings)
        if args.json:
            terminal.print_json(done)
        else:
            for run in done.changed:
                terminal.console().print(f"{run.id} of {run.pipeline}: {run.status}  {run.message or ''}", markup=False)
            for one in late:
                terminal.console().print(
                    f"report {one.report}: its rollback to version {one.version} is on record now", markup=False
                )
            if not done.changed and not done.problems and not late:
                terminal.console().print("Every run has its verdict, or somebody who works on it.")
            for problem in done.problems:
                print(f"kubescribe: {problem}", file=sys.stderr)
        return ExitCode.TEMPORARY if done.problems else ExitCode.DONE

    return reading(settings, reconcile, healing=False)


async def _rollbacks(container: Container, settings: Settings) -> tuple[Publication, ...]:
    """Complete RunLog with rollbacks that it was not told of; nothing where there are no reports."""
    if container.databases().report_url is None:
        return ()
    try:
        return await container.record_rollbacks()(tenant=settings.tenant)
    except KubescribeError as error:  # runs have their verdicts all the same
        print(f"kubescribe: rollbacks could not be looked after: {error}", file=sys.stderr)
        return ()
