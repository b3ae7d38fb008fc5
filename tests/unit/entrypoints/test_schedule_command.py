"""``kubescribe schedule`` and the schedule column of ``kubescribe pipelines``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubescribe.domain.catch_up import CatchUp
from kubescribe.domain.dst_policy import Fold, Gap
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
    assert plan.notes[:-1] == ("on 2024-03-10 the clock goes from 02:00 to 03:00: 02:30 is skipped",)
    plan = plan_of(Pipeline(name="a", schedule="@every 90m"), spring, 2)
    assert [slot.utc.hour for slot in plan.slots] == [1, 3]
    assert plan.notes == ("the times count from now; the real ones count from the run before",)


def test_what_a_policy_makes_of_odd_slots_is_said() -> None:
    spring = datetime(2024, 3, 1, tzinfo=UTC)
    odd = Pipeline(name="a", schedule="30 2 * * *", timezone="Europe/Berlin")
    assert plan_of(odd, spring, 1).notes[2:] == (
        "gap is 'run_after': a time that the clock jumps over is due at the first moment after the gap",
        "fold is 'once': of both moments the first is the slot",
    )
    other = Pipeline(
        name="a",
        schedule="30 2 * * *",
        timezone="Europe/Berlin",
        fold=Fold.TWICE,
        gap=Gap.SKIP,
        catch_up=CatchUp.ALL,
        catch_up_limit=3,
    )
    plan = plan_of(other, spring, 1)
    assert plan.notes[2:] == (
        "gap is 'skip': a time that the clock jumps over stays skipped",
        "fold is 'twice': it runs at both moments",
        "catch_up is 'all': slots that were missed are started later, the newest 3",
    )
    assert (plan.fold, plan.gap, plan.catch_up, plan.catch_up_limit) == ("twice", "skip", "all", 3)
    hourly = Pipeline(name="a", schedule="0 * * * *", timezone="Europe/Berlin", run_deadline=3600.0)
    assert "keeps its pace" in plan_of(hourly, spring, 1).notes[-1]
    assert plan_of(hourly, spring, 1).findings == ()
    latest = Pipeline(name="a", schedule="0 5 * * *", catch_up=CatchUp.LATEST)
    assert plan_of(latest, spring, 1).notes == (
        "catch_up is 'latest': of the slots that were missed the newest is started later",
    )


class TestLint:
    def test_it_lists_and_with_check_it_fails(self, command: Command) -> None:
        code, told = command("schedule", "lint")
        assert (code, told.splitlines()) == (
            0,
            [
                "parked (never)",
                "  '0 0 31 2 *' names no moment within 5 years.",
                "  It never runs, and nobody is told.",
                "  Mend the expression, or leave schedule out where somebody asks for the runs.",
            ],
        )
        assert command("schedule", "lint", "--check") == (65, told)

    def test_for_programs(self, command: Command) -> None:
        code, told = command("schedule", "lint", "--json")
        (finding,) = json.loads(told)
        assert (code, finding["fault"], finding["pipelines"]) == (0, "never", ["parked"])

    def test_nothing_is_said_too(self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "good_jobs.py").write_text(MODULE[: MODULE.index('@pipeline(schedule="0 0 31')])
        monkeypatch.setenv("KUBESCRIBE_PIPELINES", "good_jobs")
        assert command("schedule", "lint", "--check") == (0, "No finding; 1 of 2 pipelines have a schedule.\n")

    def test_check_is_of_lint_alone(self, command: Command) -> None:
        code, told = command("schedule", "nightly", "--check")
        assert (code, "it belongs to `kubescribe schedule lint`" in told) == (64, True)

    def test_the_list_of_pipelines_and_a_plan_warn(self, command: Command) -> None:
        warning = "kubescribe: warning: parked: '0 0 31 2 *' names no moment within 5 years; it never runs"
        assert warning in command("pipelines")[1]
        assert warning in command("pipelines", "parked")[1]
        assert "warning" not in command("pipelines", "nightly")[1]
        assert "Warning: '0 0 31 2 *' names no moment" in command("schedule", "parked")[1]

    def test_many_findings_are_cut_and_standard_output_stays_clean(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        jobs = "from kubescribe import pipeline\ndef job(run): pass\n"
        jobs += "for n in range(7):\n    globals()[f'p{n}'] = pipeline(name=f'p{n}', schedule='0 0 31 2 *')("
        jobs += "type(job)(job.__code__, globals()))\n"
        (tmp_path / "many_jobs.py").write_text(jobs)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("KUBESCRIBE_PIPELINES", "many_jobs")
        assert main(["pipelines", "--json"]) == 0
        told = capsys.readouterr()
        assert len(json.loads(told.out)) == 7
        assert told.err.count("warning:") == 5
        assert told.err.splitlines()[-1] == "kubescribe: 2 more: kubescribe schedule lint"
