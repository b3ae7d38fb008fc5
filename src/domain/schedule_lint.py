"""What is wrong with the schedules of pipelines, said before it happens: what, why it matters, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zlib import crc32

import msgspec

from .cron import YEARS, Every
from .cron_parser import parse
from .dst_policy import Fold, Gap
from .duration import format_duration
from .expected_slot import ExpectedSlot, expected_slots, keeps_pace
from .pipeline import Pipeline
from .schedule import Schedule, find_zone
from .schedule_density import shortest_interval
from .schedule_fault import ScheduleFault
from .zone_changes import ZoneChange, zone_changes

CROWD = 30
"""So many pipelines at one moment are too many."""

_WEEK, _YEAR = timedelta(days=7), timedelta(days=366)
_CONTROLLER_LOOKS = 10.0
_SAYABLE = 1e12
_SHOWN = 3


class ScheduleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, in three half sentences."""

    fault: ScheduleFault
    pipelines: tuple[str, ...]
    """Whom it is about, by name; more than one only of a crowd."""
    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}; {self.why}; {self.remedy}"


def lint(pipelines: Sequence[Pipeline], now: datetime) -> tuple[ScheduleFinding, ...]:
    """All findings, pipeline by pipeline, those about many of them last; what a pipeline acknowledges is none.

    Clock changes are looked for in the year after ``now``, crowds in the week.
    """
    scheduled = [one for one in pipelines if one.schedule is not None]
    own = [
        finding
        for pipeline in scheduled
        for rule in RULES
        for finding in rule(pipeline, Schedule(pipeline.schedule or "", pipeline.timezone), now)
        if finding.fault not in pipeline.lint_ok
    ]
    return (*own, *_crowds([one for one in scheduled if ScheduleFault.CROWD not in one.lint_ok], now))


def spread_minute(name: str) -> int:
    """A minute of the hour for a pipeline of this name: always the same, never 0, and other names have others."""
    return 1 + crc32(name.encode()) % 59


def _never(pipeline: Pipeline, schedule: Schedule, now: datetime) -> Iterator[ScheduleFinding]:
    if schedule.next_after(now) is None:
        yield _finding(
            ScheduleFault.NEVER,
            pipeline,
            f"{schedule.expression!r} names no moment within {YEARS} years",
            "it never runs, and nobody is told",
            "mend the expression, or leave schedule out where somebody asks for the runs",
        )


def _clock_changes(pipeline: Pipeline, schedule: Schedule, now: datetime) -> Iterator[ScheduleFinding]:
    if keeps_pace(schedule.expression):
        return
    odd: dict[str, tuple[ZoneChange, ExpectedSlot]] = {}
    for change in _changes(schedule.timezone, now.astimezone(UTC).date().toordinal()):
        until = change.at + max(change.before - change.after, timedelta(0))
        before = change.at - timedelta(microseconds=1)
        for slot in expected_slots(schedule, pipeline.fold, pipeline.gap, before, until, skipped=True):
            if slot.oddity is not None:
                odd.setdefault(slot.oddity, (change, slot))
    if "gap" in odd:
        change, slot = odd["gap"]
        day, time = slot.logical[:10], slot.logical[11:16]
        first, after = _time(change.at + change.before), _time(change.at + change.after)
        yield _finding(
            ScheduleFault.GAP,
            pipeline,
            f"there is no {time} on {day} in {schedule.timezone}, whose clock goes from {first} to {after}",
            "with gap='skip' nothing runs then"
            if pipeline.gap is Gap.SKIP
            else f"a CronJob starts nothing then, and with gap='run_after' the slot is due at {after}",
            f"choose a time that is not from {first} until {after}, or say lint_ok='gap'",
        )
    if "fold" in odd:
        change, slot = odd["fold"]
        day, time = slot.logical[:10], slot.logical[11:16]
        first, last = _time(change.at + change.after), _time(change.at + change.before)
        yield _finding(
            ScheduleFault.FOLD,
            pipeline,
            f"{time} comes twice on {day} in {schedule.timezone}, whose clock goes back from {last} to {first}",
            "with fold='twice' it runs at both"
            if pipeline.fold is Fold.TWICE
            else "Kubernetes makes two Jobs, of which with fold='once' the second ends as skipped",
            f"choose a time that is not from {first} until {last}, or say lint_ok='fold'",
        )


def _run_deadline(pipeline: Pipeline, schedule: Schedule, _now: datetime) -> Iterator[ScheduleFinding]:
    interval = shortest_interval(schedule.expression)
    if pipeline.run_deadline > interval.total_seconds():
        yield _finding(
            ScheduleFault.RUN_DEADLINE,
            pipeline,
            f"run_deadline is {_seconds(pipeline.run_deadline)}, and the next slot may come after "
            f"{format_duration(interval)}",
            "a run that hangs is at work when the next ones are due, which meet it or do not run",
            f"say run_deadline={format_duration(interval)!r} or less, or leave more time between slots",
        )


def _start_deadline(pipeline: Pipeline, schedule: Schedule, _now: datetime) -> Iterator[ScheduleFinding]:
    interval = shortest_interval(schedule.expression)
    if pipeline.start_deadline > interval.total_seconds():
        yield _finding(
            ScheduleFault.START_DEADLINE,
            pipeline,
            f"start_deadline is {_seconds(pipeline.start_deadline)}, and the next slot may come after "
            f"{format_duration(interval)}",
            "a late start would be one of two at once, so a CronJob gives up on a slot before its next one",
            f"say start_deadline={format_duration(interval)!r} or less",
        )
    elif pipeline.start_deadline < _CONTROLLER_LOOKS:
        yield _finding(
            ScheduleFault.START_DEADLINE,
            pipeline,
            f"start_deadline is {_seconds(pipeline.start_deadline)}",
            "Kubernetes looks every ten seconds, so a slot may be over before anybody has seen it",
            "say start_deadline='1m' or more",
        )


Rule = Callable[[Pipeline, Schedule, datetime], Iterator[ScheduleFinding]]

RULES: Sequence[Rule] = (_never, _clock_changes, _run_deadline, _start_deadline)


def _crowds(pipelines: Sequence[Pipeline], now: datetime) -> Iterator[ScheduleFinding]:
    """At most one finding, of the fullest moment."""
    if len(pipelines) < CROWD:
        return
    count = Counter[datetime]()
    moments: dict[str, set[datetime]] = {}
    for one in pipelines:
        assert one.schedule is not None
        if isinstance(parse(one.schedule), Every):
            continue  # nobody knows from when it counts
        slots = expected_slots(Schedule(one.schedule, one.timezone), one.fold, one.gap, now, now + _WEEK)
        moments[one.name] = {slot.at for slot in slots}
        count.update(moments[one.name])
    at, most = max(count.items(), key=lambda item: (item[1], -item[0].timestamp()), default=(now, 0))
    if most < CROWD:
        return
    names = tuple(sorted(name for name, its in moments.items() if at in its))
    shown = ", ".join(f"{name} {spread_minute(name)}" for name in names[:_SHOWN])
    yield ScheduleFinding(
        fault=ScheduleFault.CROWD,
        pipelines=names,
        what=f"{most} pipelines start at {at:%H:%M} UTC on {at:%Y-%m-%d}",
        why="their pods, connections and reads all come at once, and each waits for the others",
        remedy=f"give each a minute of its own, for instance {shown}, and so on, or say lint_ok='crowd'",
    )


def _finding(fault: ScheduleFault, pipeline: Pipeline, what: str, why: str, remedy: str) -> ScheduleFinding:
    return ScheduleFinding(fault=fault, pipelines=(pipeline.name,), what=what, why=why, remedy=remedy)


@lru_cache(maxsize=256)
def _changes(zone: str, day: int) -> tuple[ZoneChange, ...]:
    """Of the year after this day, for many pipelines have one zone."""
    start = datetime.fromordinal(day).replace(tzinfo=UTC)
    info: tzinfo = find_zone(zone)
    return tuple(zone_changes(info, start, start + _YEAR))


def _time(wall: datetime) -> str:
    return f"{wall:%H:%M}"


def _seconds(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds)) if seconds < _SAYABLE else f"{seconds:g} s"
