"""Times that come from outside."""

from __future__ import annotations

from datetime import UTC, datetime

from .problems import BAD_REQUEST, Refused

_FIRST, _LAST = 1970, 9998
"""Years that every part of the way can hold, in whatever zone."""


def checked(name: str, time: datetime | None) -> datetime | None:
    """The time in UTC; raises :class:`Refused` without an offset, or for a year that nobody means."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise Refused(BAD_REQUEST, f"{name} has no offset from UTC; write it as 2026-01-31T05:15:00Z")
    if not _FIRST <= time.year <= _LAST:
        raise Refused(BAD_REQUEST, f"{name} is not between the years {_FIRST} and {_LAST}")
    return time.astimezone(UTC)
