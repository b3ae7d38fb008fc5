"""What schedules are warned about, and what not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubescribe.domain.dst_policy import Fold, Gap
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.schedule_fault import ScheduleFault
from kubescribe.domain.schedule_lint import CROWD, ScheduleFinding, lint, spread_minute

pytestmark = pytest.mark.disable_socket

NOW = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)


def found(schedule: str | None, zone: str = "UTC", **declared: Any) -> tuple[ScheduleFinding, ...]:
    declared = {"run_deadline": 600.0, "start_deadline": 60.0, **declared}
    return lint([Pipeline(name="a", schedule=schedule, timezone=zone, **declared)], NOW)


def faults(schedule: str | None, zone: str = "UTC", **declared: Any) -> list[str]:
    findings = found(schedule, zone, **declared)
    assert all(one.pipelines == ("a",) for one in findings)
    return [one.fault.value for one in findings]


@pytest.mark.parametrize(
    ("schedule", "zone", "declared", "expected"),
    [
        ("15 5 * * *", "Europe/Berlin", {}, []),
        (None, "Europe/Berlin", {}, []),
        ("30 2 * * *", "Europe/Berlin", {}, ["gap", "fold"]),
        ("30 2 * * *", "Asia/Tokyo", {}, []),
        ("30 1 * * *", "America/New_York", {}, ["fold"]),
        ("30 2 * * *", "America/New_York", {}, ["gap"]),
        ("30 2 * 1 *", "Europe/Berlin", {}, []),
        ("30 2 * * 1", "Europe/Berlin", {}, []),  # clocks change on Sundays
        ("30 * * * *", "Europe/Berlin", {}, []),  # keeps its pace
        ("15 2 * * *", "Australia/Lord_Howe", {}, ["gap"]),
        ("0 0 * * *", "Africa/Cairo", {}, ["gap"]),
        ("0 0 31 2 *", "UTC", {}, ["never"]),
        (",,, 1 1 1 *", "UTC", {}, ["never"]),
        ("0 * * * *", "UTC", {"run_deadline": 3600.0}, []),
        ("0 * * * *", "UTC", {"run_deadline": 3601.0}, ["run_deadline"]),
        ("0 5,6 * * *", "UTC", {"run_deadline": 86400.0}, ["run_deadline"]),
        ("0 5 * * *", "UTC", {"run_deadline": 86400.0}, []),
        ("0 5 * * *", "UTC", {"run_deadline": 1e300}, ["run_deadline"]),
        ("@every 5m", "UTC", {}, ["run_deadline"]),
        ("*/15 * * * *", "UTC", {"start_deadline": 900.0}, []),
        ("*/15 * * * *", "UTC", {"start_deadline": 901.0}, ["start_deadline"]),
        ("*/15 * * * *", "UTC", {"start_deadline": 9.9}, ["start_deadline"]),
        ("*/15 * * * *", "UTC", {"start_deadline": 10.0}, []),
        ("30 2 * * *", "Europe/Berlin", {"lint_ok": (ScheduleFault.GAP,)}, ["fold"]),
        ("30 2 * * *", "Europe/Berlin", {"lint_ok": tuple(ScheduleFault)}, []),
    ],
)
def test_each_fault_is_found_and_nothing_else(
    schedule: str | None, zone: str, declared: dict[str, Any], expected: list[str]
) -> None:
    assert faults(schedule, zone, **declared) == expected


@pytest.mark.parametrize(
    ("policy", "gap", "fold"),
    [
        (
            {},
            "there is no 02:30 on 2026-03-29 in Europe/Berlin, whose clock goes from 02:00 to 03:00; a CronJob starts "
            "nothing then, and with gap='run_after' the slot is due at 03:00; choose a time that is not from 02:00 "
            "until 03:00, or say lint_ok='gap'",
            "02:30 comes twice on 2026-10-25 in Europe/Berlin, whose clock goes back from 03:00 to 02:00; Kubernetes "
            "makes two Jobs, of which with fold='once' the second ends as skipped; choose a time that is not from "
            "02:00 until 03:00, or say lint_ok='fold'",
        ),
        (
            {"gap": Gap.SKIP, "fold": Fold.TWICE},
            "with gap='skip' nothing runs then",
            "with fold='twice' it runs at both",
        ),
    ],
)
def test_a_finding_says_what_why_and_what_to_do(policy: dict[str, Any], gap: str, fold: str) -> None:
    jumped, twice = found("30 2 * * *", "Europe/Berlin", **policy)
    assert gap in str(jumped)
    assert fold in str(twice)


def crowd(count: int, **declared: Any) -> list[Pipeline]:
    declared = {"schedule": "0 5 * * *", **declared}
    return [Pipeline(name=f"p{number}", **declared) for number in range(count)]


def test_thirty_at_one_moment_are_a_crowd_and_are_told_how_to_spread() -> None:
    assert lint(crowd(CROWD - 1), NOW) == ()
    (finding,) = lint(crowd(CROWD), NOW)
    assert (finding.fault, len(finding.pipelines)) == (ScheduleFault.CROWD, CROWD)
    assert finding.what == "30 pipelines start at 05:00 UTC on 2026-01-16"
    assert f"p0 {spread_minute('p0')}, p1 {spread_minute('p1')}, " in finding.remedy


def test_a_crowd_is_one_of_moments_and_not_of_expressions() -> None:
    berlin = [Pipeline(name=f"b{number}", schedule="0 6 * * *", timezone="Europe/Berlin") for number in range(10)]
    mixed = [*crowd(20), *berlin]
    (finding,) = lint(mixed, NOW)  # 06:00 there is 05:00 UTC
    assert len(finding.pipelines) == 30
    apart = [*crowd(15), *(Pipeline(name=f"l{number}", schedule="0 6 * * *") for number in range(15))]
    assert lint(apart, NOW) == ()
    weekly = crowd(CROWD, schedule="0 5 * * 1")
    assert lint(weekly, NOW)[0].what.endswith("on 2026-01-19")


def test_who_acknowledges_a_crowd_is_not_counted_and_who_has_no_moment_neither() -> None:
    assert lint(crowd(CROWD, lint_ok=(ScheduleFault.CROWD,)), NOW) == ()
    assert lint(crowd(CROWD, schedule="@every 24h"), NOW) == ()
    assert lint(crowd(CROWD, schedule=None), NOW) == ()


def test_minutes_are_spread_and_stay() -> None:
    minutes = [spread_minute(f"pipeline_{number}") for number in range(590)]
    assert set(minutes) == set(range(1, 60))
    assert max(map(minutes.count, set(minutes))) <= 30
    assert spread_minute("airport_delays") == spread_minute("airport_delays")
