"""The slots that a schedule means, with what the clocks do to them settled by the pipeline's policy.

They go by the clock on the wall: a minute that the fields name is a slot. Kubernetes fires by a library with ways of
its own around clock changes (``docs/schedule-vectors.md``); where it fires nothing, the slot is expected all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from .cron import Cron, Every
from .cron_field import HOUR, numbers
from .cron_parser import parse
from .dst_policy import Fold, Gap
from .schedule import Schedule, find_zone
from .zone_changes import ZoneChange, zone_changes

_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)
_LONGEST_FOLD = timedelta(hours=25)


class ExpectedSlot(msgspec.Struct, frozen=True, kw_only=True):
    """One expected execution, or one that clock changes take away.

    No two of a schedule have the same ``logical``, and no two that are not skipped the same ``at``.
    """

    at: datetime
    """The moment, aware and in UTC. Of a time that the clock jumps over: the first moment after the gap."""
    logical: str
    """What the schedule means by it, such as ``2026-10-25T02:30 Europe/Berlin``: a key that stays.

    The second moment of a time that is shown twice has its offset beside it, ``2026-10-25T02:30+01:00 Europe/Berlin``.
    Of ``@every`` it is the moment in UTC.
    """
    oddity: Literal["fold", "gap"] | None = None
    """``fold``: the clock shows this time for the second time; ``gap``: it jumps over it, and no CronJob fires."""
    skipped: bool = False
    """Nothing is to run: the policy leaves it out, or another slot of the same moment stands for it."""


def expected_slots(
    schedule: Schedule,
    fold: Fold,
    gap: Gap,
    after: datetime,
    until: datetime,
    *,
    anchor: datetime | None = None,
    skipped: bool = False,
) -> tuple[ExpectedSlot, ...]:
    """The slots with ``after < at <= until``, rising; both aware. With ``skipped`` those too that are left out.

    Windows that follow each other have together the slots of the whole. Where a gap takes several times, the last of
    them runs after it, and none if the first moment after the gap is a slot of its own. A schedule that takes every
    hour of the day keeps its pace through clock changes, and neither policy has anything to say about it.
    ``anchor``: of ``@every``, which has no slots of its own, a slot that is known; None: ``after``.
    """
    if after.tzinfo is None or until.tzinfo is None:
        raise ValueError(f"{after} or {until} has no zone, so it is no moment")
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    cron = parse(schedule.expression)
    if isinstance(cron, Every):
        return tuple(_every(cron.delay, (anchor or after).astimezone(UTC), after, until))
    slots = _slots(cron, schedule, fold, gap, after, until)
    return tuple(slot for slot in slots if skipped or not slot.skipped)


def skipped_by_fold(schedule: Schedule, fold: Fold, at: datetime) -> bool:
    """Whether this moment is the second of both at which a slot would come, and the policy wants it once.

    By the schedule alone: what became of the first is not asked, so all who ask get the same answer. Kubernetes has
    to fire at the first too.
    """
    if fold is Fold.TWICE or schedule.timezone == "UTC":
        return False
    zone = find_zone(schedule.timezone)
    second = at.astimezone(zone)
    if not second.fold:
        return False
    cron = parse(schedule.expression)
    if isinstance(cron, Every) or _keeps_pace(cron):
        return False
    first = second.replace(fold=0).astimezone(UTC)
    fired = schedule.next_after(first - _INSTANT)
    return fired is not None and fired.astimezone(UTC) == first


def keeps_pace(expression: str) -> bool:
    """Whether clock changes leave it alone: it takes every hour of the day, or is an ``@every``."""
    cron = parse(expression)
    return isinstance(cron, Every) or _keeps_pace(cron)


def _keeps_pace(cron: Cron) -> bool:
    return cron.hour & HOUR.every == HOUR.every


def _every(delay: timedelta, anchor: datetime, after: datetime, until: datetime) -> Iterator[ExpectedSlot]:
    at = anchor.replace(microsecond=0)
    at += ((after - at) // delay + 1) * delay
    while at <= until:
        yield ExpectedSlot(at=at, logical=f"{at.replace(tzinfo=None).isoformat()} UTC")
        at += delay


def _slots(
    cron: Cron, schedule: Schedule, fold: Fold, gap: Gap, after: datetime, until: datetime
) -> Iterator[ExpectedSlot]:
    """Stretch by stretch between two changes of the clock: within one, wall and UTC go side by side."""
    zone, pace = find_zone(schedule.timezone), _keeps_pace(cron)
    begin, change = after + _INSTANT, None
    offset = begin.astimezone(zone).utcoffset() or timedelta(0)
    for coming in zone_changes(zone, after - _LONGEST_FOLD, until):
        if coming.at > after:
            yield from _stretch(cron, schedule, fold, begin, coming.at, offset, change)
            if not pace:
                yield from _jumped_over(cron, schedule, gap, coming)
            begin, offset = coming.at, coming.after
        change = coming
    yield from _stretch(cron, schedule, fold, begin, until + _INSTANT, offset, change)


def _stretch(
    cron: Cron,
    schedule: Schedule,
    fold: Fold,
    begin: datetime,
    end: datetime,
    offset: timedelta,
    change: ZoneChange | None,
) -> Iterator[ExpectedSlot]:
    """The slots from ``begin`` until before ``end``; ``change``: the one before."""
    zone, once = schedule.timezone, fold is Fold.ONCE and not _keeps_pace(cron)
    shown = None if change is None else (change.at + change.before).replace(tzinfo=None)
    for wall in _walls(cron, _wall(begin, offset), _wall(end, offset)):
        at = wall.replace(tzinfo=UTC) - offset
        if shown is None or wall >= shown:
            yield ExpectedSlot(at=at, logical=f"{wall.isoformat(timespec='minutes')} {zone}")
            continue
        logical = f"{at.astimezone(find_zone(zone)).isoformat(timespec='minutes')} {zone}"
        yield ExpectedSlot(at=at, logical=logical, oddity="fold", skipped=once)


def _jumped_over(cron: Cron, schedule: Schedule, gap: Gap, change: ZoneChange) -> Iterator[ExpectedSlot]:
    end = _wall(change.at, change.after)
    jumped = list(_walls(cron, _wall(change.at, change.before), end))
    taken = gap is Gap.SKIP or any(_walls(cron, end, end + _INSTANT))
    for wall in jumped:
        yield ExpectedSlot(
            at=change.at,
            logical=f"{wall.isoformat(timespec='minutes')} {schedule.timezone}",
            oddity="gap",
            skipped=taken or wall != jumped[-1],
        )


def _walls(cron: Cron, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes that the fields name, by a clock that nobody changes, from ``begin`` until before ``end``."""
    times = _times(cron.hour, cron.minute)
    day = datetime(begin.year, begin.month, begin.day)
    while day < end:
        if cron.month >> day.month & 1 and cron.on_day(day):
            for time in times:
                wall = day + time
                if begin <= wall < end:
                    yield wall
        day += _DAY


@lru_cache(maxsize=256)
def _times(hour: int, minute: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(hours=h, minutes=m) for h in numbers(hour) for m in numbers(minute))


def _wall(utc: datetime, offset: timedelta) -> datetime:
    return (utc + offset).replace(tzinfo=None)
