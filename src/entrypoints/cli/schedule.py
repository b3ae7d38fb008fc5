"""``kubescribe schedule NAME``: when a pipeline is due, in words and in times; ``schedule lint`` is a module beside."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...application.authoring.registry import Registry
from ...domain.catch_up import CatchUp
from ...domain.clock_changes import ClockChange, Oddity, clock_changes
from ...domain.cron import YEARS
from ...domain.dst_policy import Fold, Gap
from ...domain.errors import BadSetting
from ...domain.expected_slot import keeps_pace
from ...domain.pipeline import Pipeline
from ...domain.schedule import Schedule
from ...domain.schedule_fault import ScheduleFault
from ...domain.schedule_lint import ScheduleFinding, lint
from ...domain.schedule_words import sentence
from ..settings import Settings
from . import terminal

MOST = 1000
LINT = "lint"


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
    fold: Fold = Fold.ONCE
    gap: Gap = Gap.RUN_AFTER
    catch_up: CatchUp = CatchUp.NONE
    catch_up_limit: int | None = None
    """Null where it catches up with nothing, or with one slot."""
    findings: tuple[ScheduleFinding, ...] = ()
    notes: tuple[str, ...] = ()


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Show when a pipeline is due. Needs no database."""
    if args.pipeline == LINT:
        from . import schedule_lint

        return schedule_lint.main(args, settings)
    if args.check:
        raise BadSetting("--check", "it belongs to `kubescribe schedule lint`")
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
    notes = [*map(str, changes), *_policy_notes(pipeline, changes)]
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
        fold=pipeline.fold,
        gap=pipeline.gap,
        catch_up=pipeline.catch_up,
        catch_up_limit=pipeline.catch_up_limit if pipeline.catch_up is CatchUp.ALL else None,
        # What the clocks do is among the notes.
        findings=tuple(
            one for one in lint([pipeline], now) if one.fault not in (ScheduleFault.GAP, ScheduleFault.FOLD)
        ),
        notes=tuple(notes),
    )


def _policy_notes(pipeline: Pipeline, changes: tuple[ClockChange, ...]) -> Iterator[str]:
    """What becomes of the slots that clock changes make odd, and of those that were missed."""
    odd = {change.oddity for change in changes}
    if odd and keeps_pace(pipeline.schedule or ""):
        yield "it takes every hour of the day, and so keeps its pace when clocks change, whatever fold and gap are"
    else:
        if Oddity.SKIPPED in odd:
            after = "is due at the first moment after the gap" if pipeline.gap is Gap.RUN_AFTER else "stays skipped"
            yield f"gap is '{pipeline.gap}': a time that the clock jumps over {after}"
        if Oddity.DOUBLED in odd:
            second = (
                "of both moments the first is the slot" if pipeline.fold is Fold.ONCE else "it runs at both moments"
            )
            yield f"fold is '{pipeline.fold}': {second}"
    if pipeline.catch_up is CatchUp.ALL:
        yield f"catch_up is 'all': slots that were missed are started later, the newest {pipeline.catch_up_limit}"
    elif pipeline.catch_up is CatchUp.LATEST:
        yield "catch_up is 'latest': of the slots that were missed the newest is started later"


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
    if plan.notes or plan.findings:
        console.print()
    for note in plan.notes:
        console.print(f"Note: {note}.", markup=False)
    for finding in plan.findings:
        console.print(f"Warning: {finding}.", markup=False)
