"""When a zone's clock is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


class ZoneChange(msgspec.Struct, frozen=True):
    """One change; both offsets are from UTC."""

    at: datetime
    """The first moment of the new offset, in UTC."""
    before: timedelta
    after: timedelta


def zone_changes(zone: tzinfo, start: datetime, until: datetime) -> Iterator[ZoneChange]:
    """The changes with ``start < at <= until``, rising, to the minute; one a day at most."""
    if zone is UTC:
        return
    low = start.astimezone(UTC).replace(second=0, microsecond=0)
    last, before = until.astimezone(UTC), _offset(zone, low)
    while low < last:
        high = low + _DAY
        after = _offset(zone, high)
        if after != before:
            at = _first(zone, low, high, before)
            if start < at <= last:
                yield ZoneChange(at, before, after)
        low, before = high, after


def _first(zone: tzinfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """The first minute at which the offset is another one; it still is this one at ``low``, and not at ``high``."""
    while high - low > _MINUTE:
        middle = low + (high - low) // (2 * _MINUTE) * _MINUTE
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: tzinfo, utc: datetime) -> timedelta:
    return utc.astimezone(zone).utcoffset() or timedelta(0)
