"""Durations are read as they are written, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.duration import format_duration, parse_duration
from kubescribe.domain.errors import BadDuration

pytestmark = pytest.mark.disable_socket


@pytest.mark.parametrize(
    ("text", "expected", "shortest"),
    [
        ("90", timedelta(seconds=90), "1m30s"),
        ("90s", timedelta(seconds=90), "1m30s"),
        ("0", timedelta(0), "0s"),
        ("0.5", timedelta(milliseconds=500), "0.5s"),
        ("1.25s", timedelta(seconds=1.25), "1.25s"),
        ("0.000001s", timedelta(microseconds=1), "0.000001s"),
        ("10m", timedelta(minutes=10), "10m"),
        ("1h30m", timedelta(minutes=90), "1h30m"),
        ("2d", timedelta(days=2), "2d"),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4), "1d2h3m4s"),
        (" 36h ", timedelta(hours=36), "1d12h"),
    ],
)
def test_reading_and_writing(text: str, expected: timedelta, shortest: str) -> None:
    assert parse_duration(text) == expected
    assert format_duration(expected) == shortest


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "h",
        "-5",
        "5 m",
        "10 minutes",
        "30m1h",
        "1h30",
        "1.5h",
        "1h1h",
        "1e3",
        ".5",
        "5.",
        "٣s",
        "1H",
        "9" * 5000,
        "9999999999d",
    ],
)
def test_what_cannot_be_read_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadDuration, match="write it like 90, 90s, 10m, 1h30m or 2d"):
        parse_duration(text)


def test_a_negative_duration_is_still_readable() -> None:
    assert format_duration(timedelta(seconds=-90)) == "-1m30s"


@given(st.timedeltas(min_value=timedelta(0)))
def test_what_is_written_is_read_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration
