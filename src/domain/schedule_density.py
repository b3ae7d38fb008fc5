"""How close to each other the slots of a schedule can fall."""

from __future__ import annotations

import math
from datetime import timedelta

from .cron import Every
from .cron_parser import parse

_DAY = 24 * 60
_HOUR = timedelta(hours=1)


def shortest_interval(expression: str) -> timedelta:
    """No two slots are closer than this, on days on which the clock is not changed; never more than a day.

    By the hours and minutes alone: which days they fall on can only move slots apart.
    """
    cron = parse(expression)
    if isinstance(cron, Every):
        return min(cron.delay, timedelta(days=1))
    times = [60 * hour + minute for hour in _numbers(cron.hour, 24) for minute in _numbers(cron.minute, 60)]
    if not times:
        return timedelta(days=1)
    gaps = (after - before for before, after in zip(times, [*times[1:], times[0] + _DAY], strict=True))
    return timedelta(minutes=min(gaps))


def most_in_an_hour(expression: str) -> int:
    """The most slots that an hour can have; at least 1."""
    cron = parse(expression)
    if isinstance(cron, Every):
        return math.ceil(_HOUR / cron.delay)
    return max(1, len(_numbers(cron.minute, 60)))


def _numbers(bits: int, below: int) -> list[int]:
    return [number for number in range(below) if bits >> number & 1]
