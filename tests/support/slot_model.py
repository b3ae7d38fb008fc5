"""What slots should be, found the slow way: somebody looks at the clock on the wall every minute.

Written unlike ``kubescribe.domain.expected_slot``, so that both are hardly wrong alike: no offsets, no stretches, no
expressions; a clock that shows what ``zoneinfo`` says, and five sets of numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Easter",
    "UTC",
)
BEGIN, END = datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
"""Ten years that are past: no government moves their clock changes any more."""

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Look(NamedTuple):
    """One look at the clock."""

    at: datetime
    """In UTC."""
    wall: datetime
    """Without a zone."""


class Fields(NamedTuple):
    """Five sets; None: a star."""

    minutes: frozenset[int]
    hours: frozenset[int] | None
    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None

    def name(self, wall: datetime) -> bool:
        """Whether they name this minute."""
        if wall.minute not in self.minutes or (self.hours is not None and wall.hour not in self.hours):
            return False
        if self.months is not None and wall.month not in self.months:
            return False
        day = self.days is None or wall.day in self.days
        weekday = self.weekdays is None or wall.isoweekday() % 7 in self.weekdays
        return (day or weekday) if self.days is not None and self.weekdays is not None else (day and weekday)

    @property
    def expression(self) -> str:
        """As a crontab has it."""
        return " ".join("*" if one is None else ",".join(map(str, sorted(one))) for one in self)


class Slot(NamedTuple):
    """As ``ExpectedSlot``, with the wall instead of a key."""

    at: datetime
    wall: datetime
    oddity: str | None
    skipped: bool


def looks(zone: str, after: datetime, until: datetime) -> list[Look]:
    """A look every minute, from two days before, for what was shown then may be shown again."""
    info, at, found = ZoneInfo(zone), after - 2 * DAY, []
    while at <= until:
        found.append(Look(at, at.astimezone(info).replace(tzinfo=None, fold=0)))
        at += MINUTE
    return found


def model(seen: list[Look], fields: Fields, *, once: bool, run_after: bool, after: datetime) -> list[Slot]:
    """The slots after ``after``."""
    paced = fields.hours is None or len(fields.hours) == 24
    slots: list[Slot] = []
    shown: set[datetime] = set()
    last = seen[0].wall - MINUTE
    for at, wall in seen:
        missing, minute = [], last + MINUTE
        while minute < wall:
            if fields.name(minute) and not paced:
                missing.append(minute)
            minute += MINUTE
        due = fields.name(wall)
        for minute in missing:
            slots.append(Slot(at, minute, "gap", not run_after or due or minute != missing[-1]))
        if due:
            again = wall in shown
            slots.append(Slot(at, wall, "fold" if again else None, again and once and not paced))
        shown.add(wall)
        last = wall
    return [slot for slot in slots if slot.at > after]


def windows_with_changes(zone: str) -> Iterator[tuple[datetime, datetime]]:
    """Two days or so around every clock change of the ten years."""
    info, at = ZoneInfo(zone), BEGIN
    while at < END:
        if at.astimezone(info).utcoffset() != (at + DAY / 4).astimezone(info).utcoffset():
            yield at - DAY, at + 1.25 * DAY
        at += DAY / 4


def some_fields(dice: random.Random, near: datetime) -> Fields:
    """Mostly in the small hours of ``near``'s day, where clocks are changed; by the wall."""
    hours = frozenset(dice.choices((22, 23, 0, 0, 1, 1, 2, 2, 3, 4), k=dice.randint(1, 4)))
    minutes = frozenset(dice.choices((*range(0, 60, 5), dice.randrange(60)), k=dice.choice((1, 1, 2, 6))))
    days = frozenset({near.day, *dice.choices(range(1, 32), k=dice.randint(0, 4))})
    weekdays = frozenset({near.isoweekday() % 7, *dice.choices(range(7), k=dice.randint(0, 2))})
    return Fields(
        minutes,
        None if dice.random() < 0.1 else frozenset(range(24)) if dice.random() < 0.05 else hours,
        days if dice.random() < 0.3 else None,
        frozenset({near.month}) if dice.random() < 0.3 else None,
        weekdays if dice.random() < 0.3 else None,
    )
