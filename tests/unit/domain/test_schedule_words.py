"""Schedules in words: the common shapes, and the uncommon spelled out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.errors import BadSchedule
from kubescribe.domain.schedule import Schedule
from kubescribe.domain.schedule_words import in_words, sentence, zone_in_words

pytestmark = pytest.mark.disable_socket


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"),
        ("15 * * * *", "at minute 15 of every hour"),
        ("0 * * * *", "every hour on the hour"),
        ("5,20,50 * * * *", "at minutes 5, 20 and 50 of every hour"),
        ("15 5 * * *", "at 05:15 every day"),
        ("0 5,17 * * *", "at 05:00 and 17:00 every day"),
        ("0,30 9 * * 1-5", "at 09:00 and 09:30 from Monday to Friday"),
        ("*/5 9-17 * * MON-FRI", "every 5 minutes from 09:00 to 17:55, from Monday to Friday"),
        ("* 9-17 * * *", "every minute from 09:00 to 17:59, every day"),
        ("0 9-17 * * *", "every hour from 09:00 to 17:00, every day"),
        ("30 */2 * * *", "every 2 hours from 00:30 to 22:30, every day"),
        ("0 9-18/3 * * 1", "at 09:00, 12:00, 15:00 and 18:00 every Monday"),
        ("0 0 1 * *", "at 00:00 on the 1st of every month"),
        ("0 0 1,15 * *", "at 00:00 on the 1st and the 15th of every month"),
        ("0 0 1 1 *", "at 00:00 on the 1st of January"),
        ("0 0 1 1,4,7,10 *", "at 00:00 on the 1st of January, April, July and October"),
        ("@daily", "at 00:00 every day"),
        ("@hourly", "every hour on the hour"),
        ("@weekly", "at 00:00 every Sunday"),
        ("@monthly", "at 00:00 on the 1st of every month"),
        ("@yearly", "at 00:00 on the 1st of January"),
        ("@every 90m", "every 90 minutes, counted from the run before"),
        ("@every 1h", "every hour, counted from the run before"),
        ("@every 24h", "every 24 hours, counted from the run before"),
        ("@every 36h", "every 36 hours, counted from the run before"),
        ("@every 45s", "every 45 seconds, counted from the run before"),
        ("0 0 13 * 5", "at 00:00 on the 13th of the month and every Friday"),
        ("0 0 */2 * *", "at 00:00 on every 2nd day from the 1st to the 31st of every month"),
        ("0 0 */2 * 1", "at 00:00 on every 2nd day from the 1st to the 31st of the month and every Monday"),
        ("0 0 * 6 *", "at 00:00 every day in June"),
        ("0 0 * JUN-AUG MON", "at 00:00 every Monday from June to August"),
        ("0 0 31 2 *", "at 00:00 on the 31st of February"),
        ("0 0 , * *", "never"),
        (", * * * *", "never"),
        ("0 0 * * 0,6", "at 00:00 every Saturday and Sunday"),
        ("0 0 * * */2", "at 00:00 every Tuesday, Thursday, Saturday and Sunday"),
        ("0 6 1-7 * *", "at 06:00 on the 1st to the 7th of every month"),
        ("0 6 1-7 * 1", "at 06:00 on the 1st to the 7th of the month and every Monday"),
        ("10-20 3 * * *", "at minutes 10 to 20 of hour 3, every day"),
        ("*/10 3,9,15 * * *", "every 10 minutes of hours 3, 9 and 15, every day"),
        (
            "1,2,3,9,33 1,2,3,9 5,6 2 3",
            "at minutes 1 to 3, 9 and 33 of hours 1 to 3 and 9, "
            "on the 5th and the 6th of the month and every Wednesday in February",
        ),
        ("0 0 1-31 * 1", "at 00:00 every day"),
        ("0 0 * * 1-6", "at 00:00 from Monday to Saturday"),
        ("0 0 * * 1,2,4,5,6", "at 00:00 every Monday, Tuesday and Thursday to Saturday"),
        ("*/15 * * * 1-5", "every 15 minutes, from Monday to Friday"),
        ("0 * 1 * *", "every hour on the hour, on the 1st of every month"),
        ("*/30 * * 7 *", "every 30 minutes, every day in July"),
        ("0 0 29 2 *", "at 00:00 on the 29th of February"),
        ("0 0 11,12,13,21,22,23 * *", "at 00:00 on the 11th to the 13th and the 21st to the 23rd of every month"),
        ("0 0 , * 1", "at 00:00 every Monday"),
        ("* 5 * * *", "every minute of hour 5, every day"),
    ],
)
def test_in_words(expression: str, words: str) -> None:
    assert in_words(expression) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Europe/Berlin", "Berlin time"),
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("EST5EDT", "EST5EDT"),
    ],
)
def test_zones(zone: str, words: str) -> None:
    assert zone_in_words(zone) == words


def test_a_sentence_names_the_clock_where_one_matters() -> None:
    assert sentence(Schedule("15 5 * * *", "America/New_York")) == "at 05:15 every day, New York time"
    assert sentence(Schedule("@every 90m", "America/New_York")) == "every 90 minutes, counted from the run before"


def test_what_is_no_schedule_has_no_words() -> None:
    with pytest.raises(BadSchedule):
        in_words("soon")


def _sets(low: int, high: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just("*"), st.lists(st.integers(low, high).map(str), min_size=1, max_size=9).map(",".join))


@given(st.tuples(_sets(0, 59), _sets(0, 23), _sets(1, 31), _sets(1, 12), _sets(0, 6)).map(" ".join))
def test_every_expression_has_words(expression: str) -> None:
    words = in_words(expression)
    assert words.startswith(("at ", "every "))
    assert "  " not in words and not words.endswith((" ", ","))
