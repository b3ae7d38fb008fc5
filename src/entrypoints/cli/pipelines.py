"""``kubescribe pipelines``: what can be run."""

from __future__ import annotations

import argparse

from ...application.authoring.registry import Registry
from ...domain.schedule import Schedule
from ...domain.schedule_words import sentence
from ..settings import Settings
from . import terminal
from .schedule_lint import warn


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List the pipelines, or show one's declaration. Needs no database."""
    registry = Registry.load(settings.pipelines)
    if args.pipeline is not None:
        declared = registry.get(args.pipeline).pipeline
        terminal.print_json(declared)
        warn([declared])
        return 0
    pipelines = sorted(registry.pipelines(), key=lambda one: one.name)
    if args.json:
        terminal.print_json(pipelines)
        warn(pipelines)
        return 0
    if not pipelines:
        terminal.console().print("No pipeline is known. Set KUBESCRIBE_PIPELINES=module[,module].")
        return 0
    rows = (
        (
            one.name,
            "on demand" if one.schedule is None else sentence(Schedule(one.schedule, one.timezone)),
            ", ".join(one.parameters.get("properties", {})),
            "not said" if one.reports is None else ", ".join(one.reports) or "none",
            one.description.split("\n", 1)[0],
        )
        for one in pipelines
    )
    terminal.show(
        terminal.table(
            ("pipeline", "schedule", "parameters", "reports", "what it does"),
            rows,
            wrap=("parameters", "reports", "what it does"),
        )
    )
    warn(pipelines)
    return 0
