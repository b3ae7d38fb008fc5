"""The scripts that people wrap with ``kubescribe exec``: they work alone, and tell when somebody listens."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "examples" / "scripts"

each_script = pytest.mark.parametrize("script", ["nightly.py", "nightly.sh", "nightly.pl"])


def start(script: str, *arguments: str, events: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "KUBESCRIBE_EVENTS"}
    if events is not None:
        environ["KUBESCRIBE_EVENTS"] = str(events)
    return subprocess.run([SCRIPTS / script, *arguments], env=environ, capture_output=True, text=True, timeout=60)


@each_script
def test_it_works_when_nobody_listens(script: str) -> None:
    ended = start(script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1].startswith("done: ")


@each_script
def test_it_tells_its_progress_a_metric_and_a_note(script: str, tmp_path: Path) -> None:
    events = tmp_path / "events"
    start(script, events=events)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert {event["type"] for event in told} == {"progress", "metric", "note"}
    progress = [event["fraction"] for event in told if event["type"] == "progress"]
    assert progress == sorted(progress)
    assert 0 < progress[0] < progress[-1] <= 1


@each_script
def test_it_fails_as_asked(script: str) -> None:
    ended = start(script, "--fail", "3")
    assert ended.returncode == 3
    assert "done" not in ended.stdout
