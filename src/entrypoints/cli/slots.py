"""``kubescribe slots PIPELINE``: what is expected of its schedule, and what became of it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from rich.text import Text

from ...application.authoring.registry import Registry
from ...application.ports.slots import SlotFilter
from ...domain.duration import parse_duration
from ...domain.errors import BadDuration, BadSetting
from ...domain.slot import Slot
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading

_MOST = 10_000
_STYLES = {"ran": "green", "late": "yellow", "skipped": "dim", "missed": "bold red", "expected": "cyan"}


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List slots, the oldest first."""
    now = datetime.now(UTC)
    try:
        since, until = now - parse_duration(args.back), now + parse_duration(args.ahead)
    except (BadDuration, OverflowError) as error:
        raise BadSetting("--back or --ahead", str(error)) from None
    which = SlotFilter(tenant=settings.tenant, pipeline=args.pipeline, since=since, until=until)

    async def show(container: Container) -> int:
        page = await container.slots().find(which, limit=_MOST)
        if not page.slots:
            _check(args.pipeline, settings)
        if args.json:
            terminal.print_json(page.slots)
            return 0
        if not page.slots:
            print(_nothing(args.pipeline, settings))
            return 0
        rows = [(terminal.when(one.at), _verdict(one), _words(one), one.run_id or "") for one in page.slots]
        shown = [
            (at, Text(verdict, style=_STYLES[verdict]), words, terminal.short(run) if run else "")
            for at, verdict, words, run in rows
        ]
        terminal.show(terminal.table(("at", "verdict", "why", "run"), shown, wrap=("why",)))
        if page.next is not None:
            terminal.console().print(f"… and more: ask for less than {args.back} back", style="dim")
        return 0

    return reading(settings, show)


def _check(pipeline: str, settings: Settings) -> None:
    """Raises :class:`PipelineNotFound`, with the nearest names."""
    Registry.load(settings.pipelines).get(pipeline)


def _nothing(name: str, settings: Settings) -> str:
    if Registry.load(settings.pipelines).get(name).pipeline.schedule is None:
        return f"{name} has no schedule: it runs when somebody asks."
    return f"The ledger has no slots of {name} in that time. They are kept by `kubescribe api`."


def _verdict(slot: Slot) -> str:
    return "expected" if slot.verdict is None else slot.verdict.value


def _words(slot: Slot) -> str:
    if slot.reason is not None:
        return f"{slot.reason}: {slot.detail}" if slot.detail else slot.reason
    if slot.late_by is not None:
        return f"began {terminal.seconds(slot.late_by)} after its time"
    return "" if slot.expected else "a clock change takes it away"
