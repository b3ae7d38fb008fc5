"""The demo passes on what goes wrong, and stays attached to the databases from its first step to its last."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from examples.flights import demo
from examples.flights.dataset import DatasetError


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A command line that does nothing but write down how it was called, between the opening and the end."""
    seen = tmp_path / "seen"

    @contextmanager
    def databases() -> Iterator[str]:
        seen.write_text("opened\n")
        yield "dbname=production"
        with seen.open("a") as lines:
            lines.write("closed\n")

    monkeypatch.setenv("KUBESCRIBE_PIPELINES", "")
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(demo, "databases", databases)
    monkeypatch.setattr(demo, "load", lambda *_: {})
    fake_command_line(monkeypatch, seen, "exit 0")
    return seen


def fake_command_line(monkeypatch: pytest.MonkeyPatch, seen: Path, last: str) -> None:
    command = seen.with_name("python")
    command.write_text(f'#!/bin/sh\necho "$3" "$4" "$KUBESCRIBE_PIPELINES" >>{seen}\n{last}\n')
    command.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(command))


def test_every_step_is_made_while_the_databases_are_up(seen: Path) -> None:
    assert demo.main() == 0
    lines = seen.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["opened", "run", "show", "reports", "reports", "reports", "closed"]
    assert lines[1] == "run airport_delays examples.flights.pipeline"


@pytest.mark.parametrize(("last", "code"), [("exit 65", 65), ("kill -9 $$", 137)])
def test_the_exit_code_of_a_failing_step_is_passed_on(
    seen: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], last: str, code: int
) -> None:
    fake_command_line(monkeypatch, seen, last)
    assert demo.main() == code
    assert f"failed with exit code {code}; the demo ends here" in capfd.readouterr().err


def test_a_database_of_somebody_else_is_refused_in_one_sentence(
    seen: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise DatasetError("the database has a table planes already")

    monkeypatch.setattr(demo, "load", refuse)
    assert demo.main() == 1
    assert capfd.readouterr().err == "The flights cannot be loaded: the database has a table planes already\n"
