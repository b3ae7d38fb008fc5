"""Schedules as people say them: ``at 05:15 every day, New York time``.

Made from what an expression means, not from how it is written: ``@daily`` and ``0 0 * * *`` read alike. Common
shapes get a phrase of their own; every other one is spelled out, field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from .cron import Cron, Every
from .cron_field import DAY, HOUR, MONTH, STAR, WEEKDAY, numbers
from .cron_parser import parse
from .schedule import Schedule

MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905

_LISTED = 4  # more times than these are told as a range, or field by field


def sentence(schedule: Schedule) -> str:
    """The expression in words, and whose clock it goes by."""
    words = in_words(schedule.expression)
    return words if isinstance(parse(schedule.expression), Every) else f"{words}, {zone_in_words(schedule.timezone)}"


def in_words(expression: str) -> str:
    """When it fires, without the zone; raises :class:`~kubescribe.domain.errors.BadSchedule`."""
    cron = parse(expression)
    if isinstance(cron, Every):
        return f"{_delay(round(cron.delay.total_seconds()))}, counted from the run before"
    days = _days(cron)
    if days is None or not (cron.minute and cron.hour and cron.month):
        return "never"
    time = _time(cron)
    if days == "every day" and cron.hour & HOUR.every == HOUR.every:
        return time
    return f"{time} {days}" if time.startswith("at ") and ":" in time else f"{time}, {days}"


def zone_in_words(name: str) -> str:
    """The zone by its city, where it has one."""
    area, _, city = name.partition("/")
    if name in ("Etc/UTC", "Etc/UCT", "Zulu", "Etc/Zulu"):
        return "UTC"
    return f"{city.rpartition('/')[2].replace('_', ' ')} time" if city and area != "Etc" else name


def _delay(seconds: int) -> str:
    for unit, name in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(seconds, unit)
        if not rest and count:
            return f"every {name}" if count == 1 else f"every {count:,} {name}s"
    raise ValueError(seconds)


def _time(cron: Cron) -> str:
    minutes, hours = list(numbers(cron.minute)), list(numbers(cron.hour))
    all_day, pace = len(hours) == 24, _pace(minutes)
    if len(minutes) * len(hours) <= _LISTED:
        return f"at {_listed([f'{hour:02}:{minute:02}' for hour in hours for minute in minutes])}"
    if pace and all_day:
        return pace
    hour_step = _step(hours)
    if pace and hour_step == 1:
        return f"{pace} from {hours[0]:02}:00 to {hours[-1]:02}:{minutes[-1]:02}"
    if len(minutes) == 1 and hour_step and not all_day:
        every = "every hour" if hour_step == 1 else f"every {hour_step} hours"
        return f"{every} from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[0]:02}"
    if minutes == [0] and all_day:
        return "every hour on the hour"
    of = "every hour" if all_day else _counted("hour", hours)
    return f"{pace} of {of}" if pace else f"at {_counted('minute', minutes)} of {of}"


def _pace(minutes: Sequence[int]) -> str | None:
    """``every 15 minutes``, where they go round the hour evenly from its beginning."""
    step = 60 // max(len(minutes), 1)
    if len(minutes) == 1 or list(minutes) != list(range(0, 60, step)):
        return None
    return "every minute" if step == 1 else f"every {step} minutes"


def _days(cron: Cron) -> str | None:
    """On which days and in which months; None when on none."""
    by_day = _proper(cron.day, DAY.every)
    by_weekday = _proper(cron.weekday, WEEKDAY.every)
    if (cron.day | cron.weekday) & STAR:
        if by_day == [] or by_weekday == []:
            return None
    elif by_day is None or by_weekday is None:  # either will do, and one of them always does
        by_day = by_weekday = None
    elif by_day == by_weekday == []:
        return None
    months = _proper(cron.month, MONTH.every)
    named = None if months is None else _spans(months, lambda month: MONTHS[month - 1])
    if by_day and not by_weekday:
        return f"on {_month_days(by_day)} of {named or 'every month'}"
    within = f" {_from(named, 'in')}" if named else ""
    if by_day and by_weekday:
        return f"on {_month_days(by_day)} of the month and {_weekdays(by_weekday)}{within}"
    return f"{_weekdays(by_weekday) if by_weekday else 'every day'}{within}"


def _weekdays(days: Sequence[int]) -> str:
    """Monday first, as people count."""
    spans = _spans(sorted(day or 7 for day in days), lambda day: DAYS[day - 1])
    return _from(spans, "every")


def _from(spans: str, otherwise: str) -> str:
    alone = " to " in spans and " and " not in spans and "," not in spans
    return f"{'from' if alone else otherwise} {spans}"


def _month_days(days: Sequence[int]) -> str:
    step = _step(days)
    if step and step > 1 and len(days) > _LISTED:
        return f"every {_ordinal(step)} day from the {_ordinal(days[0])} to the {_ordinal(days[-1])}"
    return _spans(days, lambda day: f"the {_ordinal(day)}")


def _ordinal(number: int) -> str:
    last = 0 if number in (11, 12, 13) else number % 10
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def _counted(what: str, found: Sequence[int]) -> str:
    return f"{what}{'s' * (len(found) > 1)} {_spans(found, str)}"


def _step(found: Sequence[int]) -> int | None:
    """What three or more numbers rise by, where it is always the same."""
    steps = {after - before for before, after in pairwise(found)}
    return steps.pop() if len(steps) == 1 and len(found) > 2 else None


def _proper(bits: int, every: int) -> list[int] | None:
    """The numbers of a field that leaves some out; None where it takes all."""
    return None if bits & every == every else list(numbers(bits))


def _spans(found: Sequence[int], name: Callable[[int], str]) -> str:
    """``a, b and d to g``: three or more in a row are a range."""
    runs: list[list[int]] = []
    for number in found:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        parts += [f"{name(run[0])} to {name(run[-1])}"] if len(run) > 2 else map(name, run)
    return _listed(parts)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
