"""What a year's clock changes do to a schedule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubescribe.domain.clock_changes import Oddity, clock_changes
from kubescribe.domain.schedule import Schedule

pytestmark = pytest.mark.disable_socket


@pytest.mark.parametrize(
    ("expression", "zone", "year", "told"),
    [
        (
            "30 2 * * *",
            "America/New_York",
            2024,
            ["on 2024-03-10 the clock goes from 02:00 to 03:00: 02:30 is skipped"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            2024,
            ["on 2024-11-03 the clock goes back from 02:00 to 01:00: 01:30 comes twice"],
        ),
        ("15 5 * * *", "America/New_York", 2024, []),
        ("@every 1h", "America/New_York", 2024, []),
        ("30 2 * * *", "UTC", 2024, []),
        ("30 2 * * *", "Asia/Tokyo", 2024, []),
        ("30 2 1-9 3 *", "America/New_York", 2024, []),
        (
            "*/30 2,3 * * *",
            "Europe/Berlin",
            2024,
            [
                "on 2024-03-31 the clock goes from 02:00 to 03:00: 02:00 and 02:30 are skipped",
                "on 2024-10-27 the clock goes back from 03:00 to 02:00: 02:00 and 02:30 come twice",
            ],
        ),
        (
            "* * * * *",
            "Europe/Berlin",
            2024,
            [
                "on 2024-03-31 the clock goes from 02:00 to 03:00: 60 slots from 02:00 to 02:59 are skipped",
                "on 2024-10-27 the clock goes back from 03:00 to 02:00: 60 slots from 02:00 to 02:59 come twice",
            ],
        ),
        (
            "0 2 * * *",
            "Australia/Lord_Howe",
            2024,
            [
                "on 2024-04-07 the clock goes back from 02:00 to 01:30: 02:00 is skipped",
                "on 2024-10-06 the clock goes from 02:00 to 02:30: 02:00 is skipped",
            ],
        ),
        ("0 5 31 3 *", "Asia/Beirut", 2024, ["on 2024-03-31 the clock goes from 00:00 to 01:00: 05:00 is skipped"]),
        ("0 5 28 4 *", "Africa/Cairo", 2023, ["on 2023-04-28 the clock goes from 00:00 to 01:00: 05:00 is skipped"]),
        ("0 5 8 9 *", "America/Santiago", 2024, []),
        (
            "0 12 * * *",
            "Pacific/Apia",
            2011,
            ["on 2011-12-31 the clock goes from 2011-12-30 00:00 to 00:00: 2011-12-30 12:00 is skipped"],
        ),
        (
            "59 3 * * *",
            "Pacific/Chatham",
            2022,
            [
                "on 2022-04-03 the clock goes back from 03:45 to 02:45: 02:59 comes though not asked for",
                "on 2022-09-25 the clock goes from 02:45 to 03:45: 03:59 is skipped",
            ],
        ),
    ],
)
def test_the_year_that_follows(expression: str, zone: str, year: int, told: list[str]) -> None:
    # Apia had clock changes in spring, too, that this schedule does not notice.
    changes = clock_changes(Schedule(expression, zone), datetime(year, 1, 1, tzinfo=UTC))
    assert [str(change) for change in changes] == told


def test_it_is_told_as_data() -> None:
    (change,) = clock_changes(Schedule("30 2 * * *", "America/New_York"), datetime(2024, 3, 1, tzinfo=UTC), days=30)
    assert change.at == datetime(2024, 3, 10, 7, tzinfo=UTC)
    assert (change.before, change.after) == (datetime(2024, 3, 10, 2), datetime(2024, 3, 10, 3))
    assert (change.oddity, change.slots) == (Oddity.SKIPPED, (datetime(2024, 3, 10, 2, 30),))


def test_only_the_days_asked_for() -> None:
    schedule = Schedule("30 2 * * *", "America/New_York")
    assert clock_changes(schedule, datetime(2024, 3, 1, tzinfo=UTC), days=9) == ()
