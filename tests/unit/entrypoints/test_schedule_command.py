"""``kubescribe schedule`` and the schedule column of ``kubescribe pipelines``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubescribe.domain.pipeline import Pipeline
from kubescribe.entrypoints.cli.main import main
from kubescribe.entrypoints.cli.schedule import plan_of

pytestmark = pytest.mark.disable_socket

MODULE = """
from kubescribe import Context, pipeline

@pipeline(schedule="15 5 * * *", timezone="America/New_York")
def nightly(run: Context) -> None:
    "Every night."

@pipeline
def asked(run: Context) -> None:
    "When asked."

@pipeline(schedule="0 0 31 2 *")
def parked(run: Context) -> None:
    "Never."
"""

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    (tmp_path / "schedule_jobs.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("KUBESCRIBE_PIPELINES", "schedule_jobs")
    monkeypatch.delenv("TZ", raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_words_and_slots(command: Command) -> None:
    code, told = command("schedule", "nightly", "--count", "3")
    lines = told.splitlines()
    assert code == 0
    assert lines[:2] == ["nightly: at 05:15 every day, New York time", "15 5 * * *  America/New_York"]
    assert lines[3].split()[:2] == ["America/New_York", "UTC"]
    assert len(lines) == 7
    assert all("05:15:00 -0" in line and "+0000" in line for line in lines[4:])


def test_for_programs(command: Command) -> None:
    code, told = command("schedule", "nightly", "--count", "2", "--json")
    plan = json.loads(told)
    assert code == 0
    assert (plan["schedule"], plan["timezone"]) == ("15 5 * * *", "America/New_York")
    assert plan["words"] == "at 05:15 every day, New York time"
    assert len(plan["slots"]) == 2
    for slot in plan["slots"]:
        assert len({datetime.fromisoformat(slot[clock]) for clock in ("scheduled", "utc", "here")}) == 1
        assert slot["utc"].endswith("Z")


def test_no_schedule_and_no_slot_are_said(command: Command) -> None:
    assert command("schedule", "asked") == (0, "asked has no schedule: it runs when somebody asks.\n")
    assert json.loads(command("schedule", "asked", "--json")[1])["schedule"] is None
    assert "Note: nothing falls due within 5 years." in command("schedule", "parked")[1]


def test_wrong_input_is_a_sentence(command: Command) -> None:
    assert command("schedule", "nightly", "--count", "0") == (
        64,
        "kubescribe: --count cannot be used: 0 is not between 1 and 1000\n",
    )
    code, told = command("schedule", "nightlies")
    assert (code, "did you mean nightly?" in told) == (64, True)


def test_the_list_of_pipelines_says_it_in_words(command: Command) -> None:
    _, told = command("pipelines")
    assert "at 05:15 every day, New York time" in told
    assert "on demand" in told


def test_a_year_with_clock_changes_and_every() -> None:
    spring = datetime(2024, 3, 1, tzinfo=UTC)
    plan = plan_of(Pipeline(name="a", schedule="30 2 * * *", timezone="America/New_York"), spring, 1)
    assert plan.notes == ("on 2024-03-10 the clock goes from 02:00 to 03:00: 02:30 is skipped",)
    plan = plan_of(Pipeline(name="a", schedule="@every 90m"), spring, 2)
    assert [slot.utc.hour for slot in plan.slots] == [1, 3]
    assert plan.notes == ("the times count from now; the real ones count from the run before",)
