"""``kubescribe manifests``: prints, writes and compares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from kubescribe.entrypoints.cli.main import main

pytestmark = pytest.mark.disable_socket

MODULE = """
from kubescribe import Context, pipeline

@pipeline(schedule="15 5 * * *", timezone="Europe/Berlin", memory="2Gi")
def nightly_totals(run: Context) -> None:
    "Every night."
"""
SECOND = """
@pipeline
def asked(run: Context) -> None:
    "When asked."
"""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def run(*arguments: str, module: str, source: str = MODULE + SECOND, image: str = "jobs:1") -> tuple[int, str, str]:
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.setenv("KUBESCRIBE_PIPELINES", module)
        monkeypatch.setenv("KUBESCRIBE_IMAGE", image)
        code = main(["manifests", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_what_is_printed_can_be_applied(command: Command) -> None:
    code, out, _ = command(module="printed_jobs")
    things = list(yaml.safe_load_all(out))
    assert code == 0
    assert [(one["kind"], one["metadata"]["name"]) for one in things] == [
        ("ConfigMap", "kubescribe-pipelines"),
        ("CronJob", "asked"),
        ("CronJob", "nightly-totals"),
    ]


def test_a_schedule_that_is_odd_is_warned_of_beside_what_can_be_applied(command: Command) -> None:
    source = MODULE.replace("15 5 * * *", "30 2 * * *")
    code, out, error = command(module="odd_jobs", source=source)
    assert code == 0
    assert [one["kind"] for one in yaml.safe_load_all(out)] == ["ConfigMap", "CronJob"]
    first, second = error.splitlines()
    assert first.startswith("kubescribe: warning: nightly_totals: there is no 02:30 on ")
    assert second.startswith("kubescribe: warning: nightly_totals: 02:30 comes twice on ")


def test_what_was_written_is_what_is_declared(command: Command) -> None:
    assert command("--out", "gen", module="written_jobs")[0] == 0
    assert command("--check", "gen", module="written_jobs") == (0, "", "")


def test_a_change_of_the_installation_is_found_and_shown(command: Command) -> None:
    command("--out", "gen", module="moved_jobs")
    code, out, err = command("--check", "gen", module="moved_jobs", image="jobs:2")
    assert code == 65
    assert '-            image: "jobs:1"' in out
    assert '+            image: "jobs:2"' in out
    assert "`kubescribe manifests --out gen` renews it" in err


def test_a_file_that_somebody_has_edited_is_found(command: Command, tmp_path: Path) -> None:
    command("--out", "gen", module="edited_jobs")
    file = tmp_path / "gen" / "cronjob-asked.yaml"
    file.write_text(file.read_text().replace("backoffLimit: 0", "backoffLimit: 9"))
    assert command("--check", "gen", module="edited_jobs")[0] == 65


def test_a_pipeline_that_is_no_more_takes_its_file_along_and_leaves_those_of_others(
    command: Command, tmp_path: Path
) -> None:
    command("--out", "gen", module="two_jobs")
    (tmp_path / "gen" / "theirs.yaml").write_text("kind: Theirs\n")
    code, out, _ = command("--check", "gen", module="one_job", source=MODULE)
    assert code == 65
    assert "+++ /dev/null" in out
    code, out, _ = command("--out", "gen", module="one_job", source=MODULE)
    assert "cronjob-asked.yaml removed" in out
    assert sorted(file.name for file in (tmp_path / "gen").iterdir()) == [
        "configmap-kubescribe-pipelines.yaml",
        "cronjob-nightly-totals.yaml",
        "kustomization.yaml",
        "theirs.yaml",
    ]


def test_a_file_of_somebody_elses_is_never_overwritten(command: Command, tmp_path: Path) -> None:
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "kustomization.yaml").write_text("resources: [theirs.yaml]\n")
    code, _, err = command("--out", "gen", module="careful_jobs")
    assert code == 64
    assert "was not written by this command" in err
    assert [file.name for file in (tmp_path / "gen").iterdir()] == ["kustomization.yaml"]


@pytest.mark.parametrize(("arguments", "said"), [(("--check", "none"), "is no folder"), (("--out", "file"), "file")])
def test_a_folder_that_is_none_is_a_clear_error(
    command: Command, tmp_path: Path, arguments: tuple[str, str], said: str
) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = command(*arguments, module="lost_jobs")
    assert code == 64
    assert said in err


@pytest.mark.parametrize(("name", "value"), [("IMAGE", "a b"), ("NAMESPACE", "No_Namespace"), ("SECRETS", "ok,NOT")])
def test_a_bad_setting_is_named(command: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"KUBESCRIBE_{name}", value)
    code, _, err = command(module="bad_settings_jobs", **({"image": value} if name == "IMAGE" else {}))
    assert code == 64
    assert f"KUBESCRIBE_{name} cannot be used" in err
