"""The slots that a schedule means, around clock changes and far from them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kubescribe.domain.dst_policy import Fold, Gap
from kubescribe.domain.expected_slot import ExpectedSlot, expected_slots, skipped_by_fold
from kubescribe.domain.schedule import Schedule

pytestmark = pytest.mark.disable_socket

BERLIN = "Europe/Berlin"
FOLD_NIGHT = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
GAP_NIGHT = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)


def slots(
    expression: str,
    zone: str,
    window: tuple[datetime, datetime],
    *,
    fold: Fold = Fold.ONCE,
    gap: Gap = Gap.RUN_AFTER,
    anchor: datetime | None = None,
) -> tuple[ExpectedSlot, ...]:
    """All of them, also those that are left out."""
    return expected_slots(Schedule(expression, zone), fold, gap, *window, anchor=anchor, skipped=True)


def told(found: tuple[ExpectedSlot, ...]) -> list[str]:
    """``01:30 2026-10-25T02:30+01:00 Europe/Berlin fold skipped``: the time of day in UTC, and the rest."""
    return [
        f"{one.at:%H:%M} {one.logical}{f' {one.oddity}' if one.oddity else ''}{' skipped' if one.skipped else ''}"
        for one in found
    ]


@pytest.mark.parametrize(
    ("fold", "second"),
    [
        (Fold.ONCE, "01:30 2026-10-25T02:30+01:00 Europe/Berlin fold skipped"),
        (Fold.TWICE, "01:30 2026-10-25T02:30+01:00 Europe/Berlin fold"),
    ],
)
def test_a_time_that_is_shown_twice_is_one_slot_or_two(fold: Fold, second: str) -> None:
    found = slots("30 2 * * *", BERLIN, FOLD_NIGHT, fold=fold)
    assert told(found) == ["00:30 2026-10-25T02:30 Europe/Berlin", second]
    for one in found:
        assert skipped_by_fold(Schedule("30 2 * * *", BERLIN), fold, one.at) == one.skipped


@pytest.mark.parametrize(
    ("expression", "gap", "expected"),
    [
        ("30 2 * * *", Gap.RUN_AFTER, ["01:00 2026-03-29T02:30 Europe/Berlin gap"]),
        ("30 2 * * *", Gap.SKIP, ["01:00 2026-03-29T02:30 Europe/Berlin gap skipped"]),
        (  # several: the last stands for all
            "0,30 2 * * *",
            Gap.RUN_AFTER,
            ["01:00 2026-03-29T02:00 Europe/Berlin gap skipped", "01:00 2026-03-29T02:30 Europe/Berlin gap"],
        ),
        (  # the moment after the gap is a slot of its own, and one run is enough
            "0 2,3 * * *",
            Gap.RUN_AFTER,
            ["01:00 2026-03-29T02:00 Europe/Berlin gap skipped", "01:00 2026-03-29T03:00 Europe/Berlin"],
        ),
        (
            "30 2,3 * * *",
            Gap.RUN_AFTER,
            ["01:00 2026-03-29T02:30 Europe/Berlin gap", "01:30 2026-03-29T03:30 Europe/Berlin"],
        ),
        ("0 3 * * *", Gap.RUN_AFTER, ["01:00 2026-03-29T03:00 Europe/Berlin"]),
        ("59 1 * * *", Gap.RUN_AFTER, ["00:59 2026-03-29T01:59 Europe/Berlin"]),
    ],
)
def test_a_time_that_is_jumped_over_is_due_after_the_gap_or_skipped(
    expression: str, gap: Gap, expected: list[str]
) -> None:
    assert told(slots(expression, BERLIN, GAP_NIGHT, gap=gap)) == expected


@pytest.mark.parametrize("fold", Fold)
@pytest.mark.parametrize("gap", Gap)
@pytest.mark.parametrize(("expression", "minutes"), [("*/5 * * * *", 5), ("30 * * * *", 60), ("@hourly", 60)])
def test_what_takes_every_hour_keeps_its_pace(fold: Fold, gap: Gap, expression: str, minutes: int) -> None:
    for start, end in (FOLD_NIGHT, GAP_NIGHT):
        found = slots(expression, BERLIN, (start, end), fold=fold, gap=gap)
        assert not any(one.skipped for one in found)
        moments = [one.at for one in found]
        assert moments == [moments[0] + n * timedelta(minutes=minutes) for n in range(24 * 60 // minutes)]
        assert len({one.logical for one in found}) == len(found)
        assert not any(skipped_by_fold(Schedule(expression, BERLIN), fold, at) for at in moments)


def test_half_an_hour_is_a_clock_change_too() -> None:
    fold = datetime(2024, 4, 6, 12, tzinfo=UTC), datetime(2024, 4, 6, 18, tzinfo=UTC)
    gap = datetime(2024, 10, 5, 12, tzinfo=UTC), datetime(2024, 10, 5, 18, tzinfo=UTC)
    zone = "Australia/Lord_Howe"
    assert told(slots("45 1 * * *", zone, fold)) == [
        "14:45 2024-04-07T01:45 Australia/Lord_Howe",
        "15:15 2024-04-07T01:45+10:30 Australia/Lord_Howe fold skipped",
    ]
    # Kubernetes' library never meets this one; the clock on the wall does.
    assert told(slots("0 2 * * *", zone, fold)) == ["15:30 2024-04-07T02:00 Australia/Lord_Howe"]
    assert told(slots("15 2 * * *", zone, gap)) == ["15:30 2024-10-06T02:15 Australia/Lord_Howe gap"]


def test_a_day_that_is_left_out_is_one_gap() -> None:
    window = datetime(2011, 12, 30, tzinfo=UTC), datetime(2011, 12, 31, tzinfo=UTC)
    assert told(slots("15 5 * * *", "Pacific/Apia", window)) == [
        "10:00 2011-12-30T05:15 Pacific/Apia gap",
        "15:15 2011-12-31T05:15 Pacific/Apia",
    ]


def test_every_counts_from_a_slot_that_is_known() -> None:
    window = datetime(2026, 10, 25, 0, 20, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)
    anchored = slots("@every 90m", BERLIN, window, anchor=datetime(2026, 10, 25, 1, tzinfo=UTC))
    assert told(anchored) == ["01:00 2026-10-25T01:00:00 UTC", "02:30 2026-10-25T02:30:00 UTC"]
    assert told(slots("@every 90m", BERLIN, window)) == ["01:50 2026-10-25T01:50:00 UTC"]
    late = slots("@every 90m", BERLIN, window, anchor=datetime(2026, 10, 25, 5, 30, tzinfo=UTC))
    assert told(late) == told(anchored)


def test_the_second_moment_is_skipped_even_where_a_cronjob_would_not_fire_at_it() -> None:
    schedule = Schedule("45 2 * * *", "Pacific/Chatham")
    second = datetime(2014, 4, 5, 14, tzinfo=UTC)
    assert skipped_by_fold(schedule, Fold.ONCE, second)
    assert not skipped_by_fold(Schedule("46 2 * * *", "Pacific/Chatham"), Fold.ONCE, second)
    assert not skipped_by_fold(Schedule("@every 15m", "Pacific/Chatham"), Fold.ONCE, second)


def test_what_is_left_out_is_listed_only_when_asked_for() -> None:
    schedule = Schedule("30 2 * * *", BERLIN)
    assert len(expected_slots(schedule, Fold.ONCE, Gap.SKIP, *FOLD_NIGHT)) == 1
    assert expected_slots(schedule, Fold.ONCE, Gap.SKIP, *GAP_NIGHT) == ()


def test_a_time_without_a_zone_is_no_moment() -> None:
    naive, aware = datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
    for window in ((naive, aware), (aware, naive)):
        with pytest.raises(ValueError, match="has no zone"):
            slots("@daily", "UTC", window)


def test_windows_that_follow_each_other_have_the_slots_of_the_whole() -> None:
    random_ = random.Random(1)
    for expression in ("*/10 0-4 * * *", "0 3 * * *", "0,30 2 * * *", "* * * * *"):
        for start, end in (FOLD_NIGHT, GAP_NIGHT):
            cuts = sorted(random_.randrange(1, 1440 * 60) for _ in range(30))
            # among them the moment of the change itself, and the minutes beside it
            at = [start + timedelta(seconds=cut) for cut in cuts] + [
                start.replace(hour=1, minute=0) + timedelta(days=1, minutes=minutes) for minutes in (-1, 0, 1)
            ]
            points = [start, *sorted(at), end]
            parts = [one for pair in pairwise(points) for one in slots(expression, BERLIN, pair)]
            assert parts == list(slots(expression, BERLIN, (start, end)))
