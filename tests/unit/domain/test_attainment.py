"""Days become weeks and months, and nothing counts twice in one of them."""

from __future__ import annotations

from datetime import date

from kubescribe.domain.attainment import first_day, periods
from kubescribe.domain.incident import IncidentKind
from kubescribe.domain.promise import Attainment

TODAY = date(2026, 3, 11)  # a Wednesday


def day(text: str, kept: int, promised: int, kind: IncidentKind = IncidentKind.FINISH_BY) -> Attainment:
    return Attainment(kind=kind, day=date.fromisoformat(text), kept=kept, promised=promised)


def told(*days: Attainment) -> list[tuple[str, str, int, int]]:
    return [(one.unit, str(one.start), one.kept, one.promised) for one in periods(days, TODAY)]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert told(day("2026-03-09", 1, 1), day("2026-03-08", 0, 2), day("2026-02-28", 3, 3)) == [
        ("week", "2026-03-09", 1, 1),
        ("week", "2026-03-02", 0, 2),
        ("week", "2026-02-23", 3, 3),
        ("month", "2026-03-01", 1, 3),
        ("month", "2026-02-01", 3, 3),
    ]


def test_kinds_are_told_apart() -> None:
    days = (day("2026-03-09", 1, 1), day("2026-03-09", 0, 1, IncidentKind.RUN_AT_MOST))
    assert [(one.kind, one.unit, one.share) for one in periods(days, TODAY)] == [
        ("finish_by", "week", 1.0),
        ("finish_by", "month", 1.0),
        ("run_at_most", "week", 0.0),
        ("run_at_most", "month", 0.0),
    ]


def test_what_is_long_over_is_left_out_whole() -> None:
    assert first_day(TODAY) == date(2025, 10, 1)
    assert told(day("2025-09-30", 1, 1)) == []
    assert told(day("2025-10-01", 1, 1)) == [("month", "2025-10-01", 1, 1)]
    assert told(day("2026-01-18", 1, 1))[0][0] == "month" and told(day("2026-01-19", 1, 1))[0][0] == "week"
