"""``kubescribe schedule NAME``: when a pipeline is due, in words and in times."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...application.authoring.registry import Registry
from ...domain.clock_changes import ClockChange, clock_changes
from ...domain.cron import YEARS
from ...domain.errors import BadSetting
from ...domain.pipeline import Pipeline
from ...domain.schedule import Schedule
from ...domain.schedule_words import sentence
from ..settings import Settings
from . import terminal

MOST = 1000


class Slot(msgspec.Struct, frozen=True):
    """One moment, by three clocks."""

    scheduled: datetime
    """In the schedule's zone."""
    utc: datetime
    here: datetime
    """In the reader's zone."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints. Without a schedule: ``schedule`` and ``words`` are null, and there are no slots."""

    pipeline: str
    schedule: str | None
    timezone: str
    words: str | None = None
    slots: tuple[Slot, ...] = ()
    clock_changes: tuple[ClockChange, ...] = ()
    notes: tuple[str, ...] = ()


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Show when a pipeline is due. Needs no database."""
    if not 1 <= args.count <= MOST:
        raise BadSetting("--count", f"{args.count} is not between 1 and {MOST}")
    plan = plan_of(Registry.load(settings.pipelines).get(args.pipeline).pipeline, datetime.now(UTC), args.count)
    if args.json:
        terminal.print_json(plan)
    else:
        _print(plan)
    return 0


def plan_of(pipeline: Pipeline, now: datetime, count: int) -> Plan:
    """The next ``count`` slots after ``now``, and what the clocks do to the schedule in the year that follows."""
    if pipeline.schedule is None:
        return Plan(pipeline=pipeline.name, schedule=None, timezone=pipeline.timezone)
    schedule = Schedule(pipeline.schedule, pipeline.timezone)
    slots = tuple(Slot(at, at.astimezone(UTC), at.astimezone()) for at in schedule.upcoming(now, count))
    changes = clock_changes(schedule, now)
    notes = [str(change) for change in changes]
    if not slots:
        notes.append(f"nothing falls due within {YEARS} years")
    if schedule.expression.startswith("@every"):
        notes.append("the times count from now; the real ones count from the run before")
    return Plan(
        pipeline=pipeline.name,
        schedule=pipeline.schedule,
        timezone=pipeline.timezone,
        words=sentence(schedule),
        slots=slots,
        clock_changes=changes,
        notes=tuple(notes),
    )


def _print(plan: Plan) -> None:
    console = terminal.console()
    if plan.words is None:
        console.print(f"{plan.pipeline} has no schedule: it runs when somebody asks.", markup=False)
        return
    console.print(f"{plan.pipeline}: {plan.words}", style="bold", markup=False)
    console.print(f"{plan.schedule}  {plan.timezone}", style="dim", markup=False)
    # One column a clock, and none twice: most schedules and many readers are in UTC.
    clocks: dict[tuple[Any, ...], str] = {}
    for name, field in ((plan.timezone, "scheduled"), ("UTC", "utc"), ("here", "here")):
        times = tuple(f"{getattr(slot, field):%a %Y-%m-%d %H:%M:%S %z}" for slot in plan.slots)
        clocks.setdefault(times, name)
    if plan.slots:
        console.print()
        console.print(terminal.table([*clocks.values()], list(zip(*clocks, strict=True))))
    if plan.notes:
        console.print()
    for note in plan.notes:
        console.print(f"Note: {note}.", markup=False)
