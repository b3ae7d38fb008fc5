"""What a cron expression means: the search for the next moment.

A port of robfig/cron v3.0.1 (``SpecSchedule.Next``, ``ConstantDelaySchedule.Next``), because Kubernetes fires CronJobs
by that library. Where the search looks odd, the library is odd, and slots depend on it: ``docs/schedule-vectors.md``
lists its ways with clock changes. Nothing here is to be improved.
"""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from .cron_field import STAR

YEARS = 5
"""How far the search goes."""


class Every(NamedTuple):
    """``@every``: a constant delay, counted from whatever moment it is asked about."""

    delay: timedelta

    def next(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The delay later, on the full second; None beyond the calendar's end."""
        try:
            return (moment.astimezone(UTC).replace(microsecond=0) + self.delay).astimezone(zone)
        except OverflowError:
            return None


class Cron(NamedTuple):
    """Five fields, as sets of numbers."""

    minute: int
    hour: int
    day: int
    month: int
    weekday: int

    def on_day(self, day: datetime) -> bool:
        """Whether the two day fields take this day: either will do where neither is a star, else both must."""
        by_day = bool(self.day >> day.day & 1)
        by_weekday = bool(self.weekday >> day.isoweekday() % 7 & 1)
        return (by_day and by_weekday) if (self.day | self.weekday) & STAR else (by_day or by_weekday)

    def next(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """What the library says comes after, in ``zone``; None when it finds nothing within five years.

        It is not always later: where an hour ends before its last minute, the library may go back.
        """
        if not (self.minute and self.hour and self.month):
            return None  # it could only look at every minute of five years
        try:
            return _Search(self, moment, zone).run()
        except OverflowError:  # the calendar ends before
            return None


class _Search:
    """``Next``: each field is moved on until it matches; one that comes round sends the search to the start."""

    def __init__(self, cron: Cron, moment: datetime, zone: tzinfo) -> None:
        self._cron, self._zone = cron, zone
        self._truncated = False  # whether a larger field has set the smaller ones to their beginning
        self._set(moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1))

    def run(self) -> datetime | None:
        limit = self._at.year + YEARS
        while self._at.year <= limit:
            if self._month() and self._day() and self._hour() and self._minute() and self._second():
                return self._at
        return None

    def _month(self) -> bool:
        while not self._cron.month >> self._at.month & 1:
            if self._first():
                self._set(self._wall(self._at.year, self._at.month, 1))
            self._set(self._wall(self._at.year, self._at.month + 1, self._at.day, self._at))
            if self._at.month == 1:
                return False
        return True

    def _day(self) -> bool:
        while not self._cron.on_day(self._at):
            if self._first():
                self._set(self._wall(self._at.year, self._at.month, self._at.day))
            before = self._utc
            self._set(self._wall(self._at.year, self._at.month, self._at.day + 1, self._at))
            hour = self._at.hour  # not 0 where the clock jumps over midnight
            if hour:
                self._add(hours=24 - hour if hour > 12 else -hour)
            if self._utc <= before:  # a day that does not exist, as in Apia in 2011: the library never comes back
                self._set(before + timedelta(days=1))
            if self._at.day == 1:
                return False
        return True

    def _hour(self) -> bool:
        while not self._cron.hour >> self._at.hour & 1:
            if self._first():
                at = self._at
                self._set(self._wall(at.year, at.month, at.day, at.replace(minute=0, second=0)))
            self._add(hours=1)
            if self._at.hour == 0:
                return False
        return True

    def _minute(self) -> bool:
        while not self._cron.minute >> self._at.minute & 1:
            if self._first():
                self._set(self._utc.replace(second=0))  # by UTC's minutes, not the zone's
            self._add(minutes=1)
            if self._at.minute == 0:
                return False
        return True

    def _second(self) -> bool:
        if not self._at.second:
            return True
        self._truncated = True
        while self._at.second:  # again, where a zone's offset had seconds and lost them just now
            self._add(seconds=60 - self._at.second)
        return False

    def _first(self) -> bool:
        before, self._truncated = self._truncated, True
        return not before

    def _add(self, *, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        self._set(self._utc + timedelta(hours=hours, minutes=minutes, seconds=seconds))

    def _set(self, utc: datetime) -> None:
        self._utc, self._at = utc, utc.astimezone(self._zone)

    def _wall(self, year: int, month: int, day: int, clock: datetime | None = None) -> datetime:
        """Go's ``time.Date``, in UTC: a month or day too many runs over, and so it settles gaps and folds."""
        if month > 12:
            year, month = year + 1, 1
        if year > MAXYEAR:
            raise OverflowError
        wall = datetime(year, month, 1, tzinfo=UTC) + timedelta(days=day - 1)
        if clock is not None:
            wall += timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
        return wall - self._offset(wall - self._offset(wall))

    def _offset(self, utc: datetime) -> timedelta:
        return utc.astimezone(self._zone).utcoffset() or timedelta(0)
