"""What a schedule promises, and how it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.cron import Cron
from kubescribe.domain.cron_parser import parse
from kubescribe.domain.errors import BadSchedule, UnknownTimezone
from kubescribe.domain.schedule import Schedule, find_zone

pytestmark = pytest.mark.disable_socket

NEW_YORK = ZoneInfo("America/New_York")


def _texts(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.tuples(st.one_of(st.just("*"), number.map(str), span), st.integers(1, 70)).map(lambda p: f"{p[0]}/{p[1]}")
    return st.one_of(
        st.just("*"), st.lists(st.one_of(number.map(str), span, step), min_size=1, max_size=3).map(",".join)
    )


EXPRESSIONS = st.tuples(_texts(0, 59), _texts(0, 23), _texts(1, 31), _texts(1, 12), _texts(0, 6)).map(" ".join)
ZONES = st.sampled_from(("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Beirut"))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))
# Where clocks are turned back, and the library with them: minutes around the autumn changes of 2024.
NEAR_FOLDS = st.builds(
    lambda base, minutes: base + timedelta(minutes=minutes),
    st.sampled_from([datetime(2024, *md, tzinfo=UTC) for md in ((11, 3, 6), (4, 6, 15), (4, 6, 14), (10, 26, 21))]),
    st.integers(-200, 200),
)


@given(EXPRESSIONS, ZONES, st.one_of(MOMENTS, NEAR_FOLDS))
def test_the_next_slot_is_later_in_the_zone_and_on_the_full_minute(text: str, zone: str, moment: datetime) -> None:
    schedule = Schedule(text, zone)
    found = schedule.next_after(moment)
    if found is not None:
        assert found.astimezone(UTC) > moment
        assert found.tzinfo is find_zone(zone)
        assert (found.second, found.microsecond) == (0, 0)
        # what is asked does not depend on the zone it is asked in, and answers do not change
        assert schedule.next_after(moment.astimezone(NEW_YORK)) == found
        assert Schedule(text, zone).next_after(moment) == found


@given(EXPRESSIONS, MOMENTS)
def test_where_no_clock_changes_the_slot_fits_the_fields_and_none_is_left_out(text: str, moment: datetime) -> None:
    cron, schedule = parse(text), Schedule(text)
    assert isinstance(cron, Cron)
    found = schedule.next_after(moment)
    at = moment.replace(second=0, microsecond=0)
    for _ in range(500):  # the next eight hours, one minute after another
        at += timedelta(minutes=1)
        fits = all(
            (cron.minute >> at.minute & 1, cron.hour >> at.hour & 1, cron.month >> at.month & 1, cron.on_day(at))
        )
        if fits:
            assert found == at
            return
    assert found is None or found > at


@given(EXPRESSIONS, ZONES, st.one_of(MOMENTS, NEAR_FOLDS), st.integers(0, 6))
def test_upcoming_slots_rise_and_are_the_next_ones(text: str, zone: str, moment: datetime, count: int) -> None:
    schedule = Schedule(text, zone)
    slots = [slot.astimezone(UTC) for slot in schedule.upcoming(moment, count)]
    assert len(slots) == count or schedule.next_after(slots[-1] if slots else moment) is None
    assert slots == sorted(set(slots))
    for before, slot in zip([moment, *slots], slots, strict=False):
        found = schedule.next_after(before)
        assert found is not None and found.astimezone(UTC) == slot


@given(st.text(alphabet=st.sampled_from([*"*?/-,+@0123456789 \tMONjanLW#é\x1f"]), max_size=25))
def test_any_text_is_a_schedule_or_refused_with_a_sentence(text: str) -> None:
    try:
        schedule = Schedule(text)
    except BadSchedule as error:
        assert repr(text) in str(error)
        return
    found = schedule.next_after(datetime(2024, 2, 29, tzinfo=UTC))
    assert found is None or found > datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "it is empty"),
        ("* * * *", "it has 4 fields and needs five: minute, hour, day of month, month, day of week"),
        ("0", "it has 1 field and needs five"),
        ("0 * * * * *", "it has 6 fields and needs five: .*; seconds are not among them"),
        ("60 * * * *", "minute '60': 60 is too high; allowed is 0 to 59"),
        ("1,61,5 * * * *", "minute '61' in '1,61,5': 61 is too high"),
        ("0 24 * * *", "hour '24': 24 is too high; allowed is 0 to 23"),
        ("0 0 0 * *", "day of month '0': 0 is too low; allowed is 1 to 31"),
        ("0 0 * 13 *", "month '13': 13 is too high; allowed is 1 to 12"),
        ("0 0 * * 7", "day of week '7': 7 is too high; allowed is 0 to 6, and Sunday is 0"),
        ("0 0 * * 5-7", "day of week '5-7': 7 is too high; .* Sunday is 0"),
        ("0 22-4 * * *", "hour '22-4': the range runs backwards; write 22-23,0-4"),
        ("0 0 * * FRI-MON", "day of week 'FRI-MON': the range runs backwards; write 5-6,0-1"),
        ("*/0 * * * *", r"minute '\*/0': a step of 0 goes nowhere"),
        ("1/2/3 * * * *", "minute '1/2/3': it has more than one slash"),
        ("1-2-3 * * * *", "minute '1-2-3': it has more than one hyphen"),
        ("5- * * * *", "minute '5-': a number is missing; allowed is 0 to 59"),
        ("*/x * * * *", r"minute '\*/x': 'x' is no number; a step is a number"),
        ("*/-5 * * * *", r"minute '\*/-5': -5 is negative"),
        ("0 0 * FEBR *", "month 'FEBR': 'FEBR' is no number; allowed is 1 to 12, or JAN to DEC"),
        ("0 0 L * *", "day of month 'L': .*; L, W and # are not known to Kubernetes"),
        ("0 0 * * 5#2", "day of week '5#2': .*; L, W and # are not known to Kubernetes"),
        ("٣ * * * *", "minute '٣': '٣' is no number"),
        ("@dayly", "there is no such descriptor; did you mean @daily?"),
        ("@DAILY", "there is no such descriptor; "),
        ("@reboot", "there is no such descriptor; @yearly, .*@every 90m"),
        ("@every 5", "the duration '5' lacks a unit; the units are h, m, s"),
        ("@every 1d", "the duration '1d' has the unit 'd'"),
        ("@every ", "the duration is missing; write one like 90m"),
        ("@every soon", "'soon' is no duration"),
        ("@every 2562048h", "longer than the 292 years"),
        ("TZ=UTC 0 0 * * *", "Kubernetes takes no TZ= or CRON_TZ= in a schedule; say timezone= instead"),
        ("CRON_TZ=Asia/Tokyo @daily", "Kubernetes takes no TZ="),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(expression: str, why: str) -> None:
    with pytest.raises(BadSchedule, match=why) as error:
        Schedule(expression)
    assert error.value.expression == expression
    assert str(error.value).startswith(f"schedule {expression!r} cannot be used: ")


@pytest.mark.parametrize(
    "name",
    [
        *("", "Local", "local", "Mars/Olympus", "Europe", "Europe/", "/etc/localtime", "../UTC", "Europe//Berlin"),
        *("Europe/Berlin\n", "-05:00", "x" * 300, "Europe/\0", "Ünited/Zone", "America/ThisIsMuchTooLong"),
    ],
)
def test_a_zone_that_kubernetes_refuses_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimezone, match="there is no time zone"):
        Schedule("@daily", name)


def test_a_schedule_is_a_value() -> None:
    one = Schedule("0 5 * * *", "Europe/Berlin")
    assert one == Schedule("0 5 * * *", "Europe/Berlin")
    assert hash(one) == hash(Schedule("0 5 * * *", "Europe/Berlin"))
    assert one != Schedule("0 5 * * *")
    assert msgspec.json.decode(msgspec.json.encode(one), type=Schedule) == one
    with pytest.raises(AttributeError):
        one.expression = "@daily"  # type: ignore[misc]


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        Schedule("@daily").next_after(datetime(2024, 1, 1))


def test_the_spring_gap_is_skipped_and_the_autumn_fold_comes_twice() -> None:
    schedule = Schedule("30 2 * * *", "America/New_York")
    spring = schedule.upcoming(datetime(2024, 3, 9, 5, tzinfo=UTC), 2)
    assert [str(slot) for slot in spring] == ["2024-03-09 02:30:00-05:00", "2024-03-11 02:30:00-04:00"]
    schedule = Schedule("30 1 * * *", "America/New_York")
    autumn = schedule.upcoming(datetime(2024, 11, 2, 23, tzinfo=UTC), 3)
    assert [f"{slot} {slot.fold}" for slot in autumn] == [
        "2024-11-03 01:30:00-04:00 0",
        "2024-11-03 01:30:00-05:00 1",
        "2024-11-04 01:30:00-05:00 0",
    ]


def test_the_librarys_own_ways_are_kept() -> None:
    # At a fold of half an hour it steps over the full hour.
    lord_howe = Schedule("0 2 * * *", "Australia/Lord_Howe")
    assert str(lord_howe.next_after(datetime(2024, 4, 6, 0, tzinfo=UTC))) == "2024-04-08 02:00:00+10:30"
    # Where midnight does not exist and the zone is east of Greenwich it steps over the day.
    beirut = Schedule("0 5 31 3 *", "Asia/Beirut")
    assert str(beirut.next_after(datetime(2024, 1, 1, tzinfo=UTC))) == "2025-03-31 05:00:00+03:00"


def test_apia_has_no_30_december_2011() -> None:
    slots = Schedule("0 12 * * *", "Pacific/Apia").upcoming(datetime(2011, 12, 29, 0, tzinfo=UTC), 3)
    assert [slot.day for slot in slots] == [29, 31, 1]
    # Looking for a day, the library goes round in circles before the one that does not exist.
    slots = Schedule("0 12 30,31 * *", "Pacific/Apia").upcoming(datetime(2011, 12, 29, 9, tzinfo=UTC), 2)
    assert [str(slot.date()) for slot in slots] == ["2011-12-31", "2012-01-30"]


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 2 *", ", * * * *", "0 , * * *", "0 0 1 , *", "0 0 , * *"])
def test_what_never_comes_is_none(expression: str) -> None:
    assert Schedule(expression).next_after(datetime(2024, 1, 1, tzinfo=UTC)) is None
    assert Schedule(expression).upcoming(datetime(2024, 1, 1, tzinfo=UTC), 3) == ()


@pytest.mark.parametrize("expression", ["@yearly", "@every 2562047h", "* * * * *", "0 0 31 2 *"])
@pytest.mark.parametrize("zone", [UTC, NEW_YORK])
def test_the_calendar_ends(expression: str, zone: tzinfo) -> None:
    last = datetime(9999, 12, 31, 12, tzinfo=zone)
    found = Schedule(expression, str(zone)).next_after(last.replace(hour=18, minute=59))
    assert found is None or expression == "* * * * *"


def test_every_counts_from_the_moment_given() -> None:
    schedule = Schedule("@every 90m", "America/New_York")
    found = schedule.next_after(datetime(2024, 3, 10, 6, 0, 30, 999_999, tzinfo=UTC))
    assert str(found) == "2024-03-10 03:30:30-04:00"  # across the gap: 90 minutes are 90 minutes
    assert Schedule("@every 1ms").next_after(datetime(2024, 1, 1, tzinfo=UTC)) == datetime(
        2024, 1, 1, 0, 0, 1, tzinfo=UTC
    )
