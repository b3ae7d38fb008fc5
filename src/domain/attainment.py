"""How many promises were kept, by week and by month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from .incident import IncidentKind
from .promise import Attainment

WEEKS, MONTHS = 8, 6
"""So many of each are told, the present one included."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A week or a month of one kind of promise, by the days of the pipeline's zone on which they were due."""

    kind: IncidentKind
    unit: str
    """``week``, from Monday on, or ``month``."""
    start: date
    kept: int
    promised: int
    """Those that have a verdict."""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.kept / self.promised


def first_day(today: date) -> date:
    """The first day that any period of :func:`periods` has."""
    return min(_weeks(today)[-1], _months(today)[-1])


def periods(days: Iterable[Attainment], today: date) -> tuple[Period, ...]:
    """Sums of what was promised, by kind, weeks before months, the newest first; none for a period without promises."""
    weeks, months = _weeks(today), _months(today)
    sums: dict[tuple[IncidentKind, str, date], tuple[int, int]] = {}
    for one in days:
        week, month = one.day - timedelta(days=one.day.weekday()), one.day.replace(day=1)
        for unit, start, known in (("week", week, weeks), ("month", month, months)):
            if start in known:
                kept, promised = sums.get((one.kind, unit, start), (0, 0))
                sums[one.kind, unit, start] = (kept + one.kept, promised + one.promised)
    order = sorted(sums, key=lambda key: (key[0], key[1] != "week", -key[2].toordinal()))
    return tuple(
        Period(kind=kind, unit=unit, start=start, kept=sums[kind, unit, start][0], promised=sums[kind, unit, start][1])
        for kind, unit, start in order
    )


def _weeks(today: date) -> list[date]:
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=number) for number in range(WEEKS)]


def _months(today: date) -> list[date]:
    first, found = today.replace(day=1), list[date]()
    for _ in range(MONTHS):
        found.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return found
