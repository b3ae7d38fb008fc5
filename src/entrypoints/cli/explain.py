"""``kubescribe explain RUN`` and ``kubescribe explain PIPELINE``: why it is as it is."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from ...application.authoring.registry import Registry
from ...domain.errors import PipelineNotFound, RunNotFound
from ...domain.explanation import Explanation
from ...domain.pipeline import Pipeline
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import find_run, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Explain a pipeline of this name or, where there is none, the run of this id."""
    pipeline = _pipeline(args.what, settings)

    async def explain(container: Container) -> int:
        now = datetime.now(UTC)
        if pipeline is not None:
            found = await container.explain_pipeline()(pipeline, now=now, tenant=settings.tenant)
        else:
            try:
                run_id = await find_run(container.run_log(), args.what, settings.tenant)
            except RunNotFound:
                Registry.load(settings.pipelines).get(args.what)  # raises, with the nearest names
                raise
            found = await container.explain_run()(run_id, now=now, tenant=settings.tenant)
        if args.json:
            terminal.print_json(found)
        else:
            _print(found)
        return 0

    return reading(settings, explain)


def _pipeline(name: str, settings: Settings) -> Pipeline | None:
    try:
        return Registry.load(settings.pipelines).get(name).pipeline
    except PipelineNotFound:
        return None


def _print(found: Explanation) -> None:
    console = terminal.console()
    console.print(found.sentence, style="bold", markup=False)
    if found.facts:
        rows = [(terminal.when(fact.at), fact.text) for fact in found.facts]
        terminal.show(terminal.table(("at", "what"), rows, wrap=("what",)))
    if found.next_step is not None:
        console.print(f"\nNext: {found.next_step}", markup=False, soft_wrap=True)
