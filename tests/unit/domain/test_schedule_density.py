"""How close slots can fall: never closer than said, and as close where they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubescribe.domain.schedule import Schedule
from kubescribe.domain.schedule_density import most_in_an_hour, shortest_interval

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "interval", "most"),
    [
        ("* * * * *", MINUTE, 60),
        ("*/5 * * * *", 5 * MINUTE, 12),
        ("*/7 * * * *", 4 * MINUTE, 9),  # from :56 to the hour
        ("0 * * * *", HOUR, 1),
        ("59,0 * * * *", MINUTE, 2),
        ("0 0,23 * * *", HOUR, 1),  # over midnight
        ("15 5 * * *", DAY, 1),
        ("0 0 1 * *", DAY, 1),
        ("0 0 31 2 *", DAY, 1),
        ("@hourly", HOUR, 1),
        ("@every 90m", 90 * MINUTE, 1),
        ("@every 7m", 7 * MINUTE, 9),
        ("@every 72h", DAY, 1),
    ],
)
def test_what_is_known(expression: str, interval: timedelta, most: int) -> None:
    assert shortest_interval(expression) == interval
    assert most_in_an_hour(expression) == most


_PARTS = st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True).map(lambda each: ",".join(map(str, each)))


@given(minute=_PARTS, hour=_PARTS | st.just("*"), weekday=st.sampled_from(["*", "1-5", "0"]))
@settings(max_examples=60)
def test_no_slots_are_closer_and_no_hour_has_more(minute: str, hour: str, weekday: str) -> None:
    expression = f"{minute} {hour} * * {weekday}"
    slots = Schedule(expression).upcoming(NEW_YEAR, 40)
    assert all(after - before >= shortest_interval(expression) for before, after in pairwise(slots))
    assert all(sum(slot <= other < slot + HOUR for other in slots) <= most_in_an_hour(expression) for slot in slots)
