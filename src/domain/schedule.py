"""When a pipeline is due: an expression and a zone, read exactly as Kubernetes reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from .cron_parser import parse
from .errors import UnknownTimezone

_MINUTE = timedelta(minutes=1)
_PART = re.compile(r"(?!-)(?!\.\.?$)[A-Za-z0-9._+-]{1,14}", re.ASCII)


class Schedule(msgspec.Struct, frozen=True):
    """When slots fall. Two are equal when they are written alike.

    Raises :class:`~kubescribe.domain.errors.BadSchedule` or :class:`~kubescribe.domain.errors.UnknownTimezone` where
    Kubernetes would refuse the CronJob. All times are aware. Those that come out are in the schedule's zone: compare
    them in UTC, because Python's ``==`` is wrong about the hour that an autumn night has twice.
    """

    expression: str
    """Five fields, a descriptor such as ``@daily``, or ``@every 90m``."""
    timezone: str = "UTC"
    """A name of the tz database."""

    def __post_init__(self) -> None:
        parse(self.expression)
        find_zone(self.timezone)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot strictly after ``moment``, or None when there is none within five years.

        A time that the clock jumps over does not come, one that it shows twice comes twice, and where the clock
        changes at midnight or by half an hour the library has ways of its own, which are kept
        (``docs/schedule-vectors.md``). ``@every`` counts from ``moment``, without its fraction of a second.
        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no zone, so it is no moment")
        cron, zone = parse(self.expression), find_zone(self.timezone)
        asked = moment = moment.astimezone(UTC)
        found = cron.next(asked, zone)
        while found is not None and found.astimezone(UTC) <= moment:
            asked += _MINUTE  # the library went back to a moment that was; ask it from beyond the clock change
            found = cron.next(asked, zone)
        return found

    def upcoming(self, moment: datetime, count: int) -> tuple[datetime, ...]:
        """The next ``count`` slots after ``moment``, rising; fewer where no more come."""
        slots: list[datetime] = []
        at: datetime | None = moment
        while len(slots) < count and at is not None and (at := self.next_after(at)) is not None:
            slots.append(at)
        return tuple(slots)


def find_zone(name: str) -> tzinfo:
    """The zone of this name; raises :class:`UnknownTimezone`, for those too that Kubernetes refuses by their form."""
    if name == "UTC":
        return UTC  # needs no tz database, and no import
    if not isinstance(name, str) or name.lower() == "local" or not all(map(_PART.fullmatch, name.split("/"))):
        raise UnknownTimezone(name)
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise UnknownTimezone(name) from None
