"""Reading a cron expression, as ``ParseStandard`` of robfig/cron v3.0.1 and Kubernetes' validation take it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from .cron import Cron, Every
from .cron_field import DAY, HOUR, MINUTE, MONTH, WEEKDAY, field_set
from .errors import BadSchedule

DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_EVERY = "@every "
_WORD = re.compile(r"[\S\x1c-\x1f]+")  # what Go's strings.Fields splits into: four separators are no space to it
_FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@lru_cache(maxsize=256)
def parse(expression: str) -> Cron | Every:
    """Read an expression; raises :class:`BadSchedule`."""
    try:
        return _parse(expression)
    except ValueError as error:
        raise BadSchedule(expression, str(error)) from None


def _parse(expression: str) -> Cron | Every:
    if not expression:
        raise ValueError("it is empty")
    if "TZ" in expression:  # wherever: Kubernetes looks no closer
        raise ValueError("Kubernetes takes no TZ= or CRON_TZ= in a schedule; say timezone= instead")
    if expression.startswith("@"):
        if expression.startswith(_EVERY):
            from .go_duration import nanoseconds  # every worker reads its schedules, and few have this one

            whole = max(nanoseconds(expression[len(_EVERY) :]) // 1_000_000_000, 1)
            return Every(timedelta(seconds=whole))
        known = DESCRIPTORS.get(expression)
        if known is None:
            from .nearest import did_you_mean

            near = [*DESCRIPTORS, "@every 90m"]
            raise ValueError(f"there is no such descriptor{did_you_mean(expression, near) or '; ' + ', '.join(near)}")
        expression = known
    words = _WORD.findall(expression)
    if len(words) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        seconds = "; seconds are not among them" if len(words) == 6 else ""
        raise ValueError(f"it has {len(words)} field{'s' * (len(words) != 1)} and needs five: {names}{seconds}")
    return Cron(*map(field_set, words, _FIELDS))
