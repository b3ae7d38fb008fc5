"""Names on a cluster."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from kubescribe.domain import job_names

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RUN = UUID("019b2d6e-0000-7000-8000-0123456789ab")
_DNS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@pytest.mark.parametrize("pipeline", ["sales", "daily_sales", "a" * 52, "a" * 29 + "_b", "a" * 30 + "_b"])
def test_a_name_is_one_that_kubernetes_takes_and_the_same_each_time(pipeline: str) -> None:
    names = job_names.job_name(pipeline, RUN), job_names.cron_job_name(pipeline)
    assert names == (job_names.job_name(pipeline, RUN), job_names.cron_job_name(pipeline))
    assert all(_DNS.fullmatch(name) for name in names)
    assert len(names[0]) <= 63
    assert len(names[1]) <= 52


def test_two_runs_have_two_names_however_long_the_pipelines_is() -> None:
    other = UUID(int=RUN.int + 1)
    assert job_names.job_name("a" * 52, RUN) != job_names.job_name("a" * 52, other)


def test_the_slot_is_in_the_name_that_the_schedule_gives() -> None:
    minutes = int(NOW.timestamp()) // 60
    assert job_names.slot_of_name(f"daily-sales-{minutes}", NOW) == NOW


@pytest.mark.parametrize(
    "name",
    [
        "daily-sales",
        "daily-sales-20261122",  # a date of somebody's: as minutes it would be in 2008
        "29922000",
        "daily-sales-299220001",
        f"daily-sales-{'1' * 32}",
        job_names.job_name("sales", RUN),
        "",
    ],
)
def test_other_names_have_none(name: str) -> None:
    assert job_names.slot_of_name(name, NOW) is None
