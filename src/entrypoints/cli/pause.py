"""``kubescribe pause NAME`` and ``kubescribe resume NAME``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from ...application.authoring.registry import Registry
from ...domain.duration import parse_duration
from ...domain.errors import BadDuration, BadSetting
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import METHOD, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Pause or resume a pipeline."""
    pipeline = Registry.load(settings.pipelines).get(args.pipeline).pipeline
    until = None if args.command == "resume" or args.until is None else _moment(args.until)

    async def pause(container: Container) -> int:
        paused = await container.pauses().pause(
            pipeline.name,
            actor=settings.actor,
            reason=args.reason,
            until=until,
            tenant=settings.tenant,
            method=METHOD,
        )
        if args.json:
            terminal.print_json(paused)
        else:
            terminal.console().print(f"{paused}; scheduled runs are skipped, manual ones go on", markup=False)
        return 0

    async def resume(container: Container) -> int:
        resumed = await container.resume_pipeline()(
            pipeline, actor=settings.actor, reason=args.reason, tenant=settings.tenant, method=METHOD
        )
        if args.json:
            terminal.print_json(resumed)
            return 0
        slots = resumed.passed_over.slots
        terminal.console().print(
            f"pipeline {pipeline.name} is resumed; {_passed(len(slots), resumed.passed_over.more)}"
        )
        for slot in slots[:10]:
            terminal.console().print(f"  {slot:%Y-%m-%d %H:%M %z}", markup=False)
        if len(slots) > 10:
            terminal.console().print(f"  … and {len(slots) - 10} more, which are on record", style="dim")
        return 0

    return reading(settings, pause if args.command == "pause" else resume)


def _passed(count: int, more: bool) -> str:
    if not count:
        return "no slot was passed over"
    return f"{'more than ' if more else ''}{count} slot{'s were' if count > 1 else ' was'} passed over"


def _moment(text: str) -> datetime:
    """A time with its offset, or a length of time from now."""
    try:
        return datetime.now(UTC) + parse_duration(text)
    except BadDuration:
        pass
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError
    except ValueError:
        raise BadSetting(
            "--until", f"{text!r} is neither a time with an offset, like 2026-11-21T05:00:00Z, nor a duration like 2h"
        ) from None
    return time
