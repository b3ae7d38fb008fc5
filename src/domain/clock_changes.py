"""What clock changes do to a schedule: slots that are skipped, come twice, or come at another time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum

import msgspec

from .cron import Cron
from .cron_parser import parse
from .schedule import Schedule, find_zone
from .zone_changes import zone_changes

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_SHOWN = 4


class Oddity(Enum):
    """What happens to a slot."""

    SKIPPED = "skipped"
    """The expression names it, and it does not come: mostly because the clock jumps over it."""
    DOUBLED = "doubled"
    """It comes twice: the clock shows this time twice."""
    UNASKED = "unasked"
    """The expression does not name it, and it comes: Kubernetes' library loses its way at some folds."""


class ClockChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the clock, and the slots that it makes odd."""

    at: datetime
    """The moment, in UTC."""
    before: datetime
    """What the clock would have shown, without a zone."""
    after: datetime
    """What it shows instead."""
    oddity: Oddity
    slots: tuple[datetime, ...]
    """By the clock on the wall, rising, without a zone."""

    def __str__(self) -> str:
        direction = "from" if self.after > self.before else "back from"
        start = f"on {self.after:%Y-%m-%d} the clock goes {direction} {self._time(self.before)} to {self.after:%H:%M}"
        times = [self._time(slot) for slot in self.slots]
        many, several = len(times) > _SHOWN, len(times) > 1
        if many:
            which = f"{len(times)} slots from {times[0]} to {times[-1]}"
        else:
            which = " and ".join(part for part in (", ".join(times[:-1]), times[-1]) if part)
        what = {
            Oddity.SKIPPED: "are skipped" if several else "is skipped",
            Oddity.DOUBLED: "come twice" if several else "comes twice",
            Oddity.UNASKED: "come though not asked for" if several else "comes though not asked for",
        }
        return f"{start}: {which} {what[self.oddity]}"

    def _time(self, wall: datetime) -> str:
        return f"{wall:%H:%M}" if wall.date() == self.after.date() else f"{wall:%Y-%m-%d %H:%M}"


def clock_changes(schedule: Schedule, start: datetime, days: int = 366) -> tuple[ClockChange, ...]:
    """The clock changes within ``days`` after ``start`` that make slots odd, rising; none for ``@every``."""
    cron = parse(schedule.expression)
    if not isinstance(cron, Cron):
        return ()
    zone = find_zone(schedule.timezone)
    changes = zone_changes(zone, start, start.astimezone(UTC) + days * _DAY)
    return tuple(odd for change in changes for odd in _odd(schedule, cron, zone, change.at))


def _odd(schedule: Schedule, cron: Cron, zone: tzinfo, at: datetime) -> Iterator[ClockChange]:
    """The days that the change touches, by the fields alone and by the schedule."""
    after = at.astimezone(zone).replace(tzinfo=None)
    before = (at - _MINUTE).astimezone(zone).replace(tzinfo=None) + _MINUTE
    first = min((before - _MINUTE).date(), after.date())
    wall = datetime(first.year, first.month, first.day)
    end = datetime(after.year, after.month, after.day) + _DAY
    asked = set[datetime]()
    while wall < end:
        if cron.month >> wall.month & 1 and cron.hour >> wall.hour & 1 and cron.minute >> wall.minute & 1:
            asked |= {wall} if cron.on_day(wall) else set()
        wall += _MINUTE
    # From a day earlier: what is skipped may depend on where the search comes from.
    came = Counter(
        wall for wall in _walls(schedule, at - 3 * _DAY, at + 3 * _DAY) if first <= wall.date() and wall < end
    )
    for oddity, slots in (
        (Oddity.SKIPPED, asked - came.keys()),
        (Oddity.DOUBLED, {wall for wall, times in came.items() if times > 1}),
        (Oddity.UNASKED, came.keys() - asked),
    ):
        if slots:
            yield ClockChange(at=at, before=before, after=after, oddity=oddity, slots=tuple(sorted(slots)))


def _walls(schedule: Schedule, start: datetime, until: datetime) -> Iterator[datetime]:
    slot = schedule.next_after(start)
    while slot is not None and slot.astimezone(UTC) < until:
        yield slot.replace(tzinfo=None, fold=0)
        slot = schedule.next_after(slot)
