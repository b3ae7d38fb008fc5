"""A week of a tenant's runs, in figures."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from .notify_rules import Hours

_FOR = timedelta(days=1)


class PipelineWeek(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one pipeline that were accepted within a week."""

    pipeline: str
    runs: int
    failed: int
    """Failed or lost, of them."""
    succeeded: int


def week_due(hours: Hours, now: datetime) -> str | None:
    """The name of the week whose summary is due: the day on which it became so, for a day after.

    Where nobody sent it on that day it is not sent any more.
    """
    local = now.astimezone(hours.zone)
    for days in (0, 1):
        day = local.date() - timedelta(days=days)
        due = datetime.combine(day, hours.begin, tzinfo=hours.zone)
        if day.weekday() in hours.days and due <= local < due + _FOR:
            return day.isoformat()
    return None
