"""Lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import BadDuration

# Each unit at most once, the longest first; a bare number is seconds, and only seconds have a fraction.
_WRITTEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,6})?)s?)?", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """The duration written as ``90``, ``90s``, ``0.5s``, ``10m``, ``1h30m`` or ``2d``; else ``BadDuration``.

    A bare number stands alone: ``1h30`` is refused, because nobody knows 30 of what.
    """
    written = text.strip()
    match = _WRITTEN.fullmatch(written)
    if not match or not written or (written[-1].isdigit() and any(match.group(1, 2, 3))):
        raise BadDuration(text)
    days, hours, minutes, seconds = match.groups(default="0")
    whole, _, fraction = seconds.partition(".")
    try:  # whole numbers, because a float would lose microseconds of a long time
        return timedelta(
            days=int(days),
            hours=int(hours),
            minutes=int(minutes),
            seconds=int(whole),
            microseconds=int(fraction.ljust(6, "0")),
        )
    except (OverflowError, ValueError):  # more than timedelta holds, or more digits than int takes
        raise BadDuration(text) from None


def format_duration(duration: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads back as the same: ``1h30m``, ``45s``, ``0.5s``, ``0s``.

    A negative duration, which no setting has, gets a minus sign that is not read back.
    """
    if duration < timedelta(0):
        return f"-{format_duration(-duration)}"
    hours, rest = divmod(duration.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{duration.microseconds:06}".rstrip("0") if duration.microseconds else ""
    parts = [f"{count}{unit}" for count, unit in ((duration.days, "d"), (hours, "h"), (minutes, "m")) if count]
    if seconds or fraction or not parts:
        parts.append(f"{seconds}{fraction}s")
    return "".join(parts)
