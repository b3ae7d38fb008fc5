"""A supervisor and what surrounds it: signals, settings, secrets, and what it leaves when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from kubescribe.adapters.local.process_tree import members
from tests.support.command_line import MAIN, CommandLine
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def test_nohup_holds(kubescribe: CommandLine, tmp_path: Path) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    script = f"touch {started}; while [ ! -e {go} ]; do sleep 0.05; done; echo went on"
    process = subprocess.Popen(
        ["nohup", *MAIN, "exec", "--", "sh", "-c", script],
        env=kubescribe.environment,
        cwd=kubescribe.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_for(started.exists, "the payload to start")
    process.send_signal(signal.SIGHUP)
    go.touch()
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"went on\n")


def test_pressing_ctrl_c_again_kills_what_takes_its_time(kubescribe: CommandLine, tmp_path: Path) -> None:
    started, asked = tmp_path / "started", tmp_path / "asked"
    script = f"trap 'touch {asked}' INT TERM; touch {started}; while true; do sleep 0.05; done"
    process = subprocess.Popen(
        [*MAIN, "exec", "--", "sh", "-c", script],
        env={**kubescribe.environment, "KUBESCRIBE_GRACE": "10m"},
        cwd=kubescribe.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(started.exists, "the payload to start")
    process.send_signal(signal.SIGINT)
    wait_for(asked.exists, "the payload to be asked")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "ending it, which it has 10m for; press Ctrl-C again to kill it at once" in told
    assert "killing it" in told
    assert kubescribe.newest()["run"]["cause"] == "signal"


@pytest.mark.parametrize("detach", [(), ("--detach",)], ids=["here", "detached"])
def test_a_parameter_that_holds_a_password_is_refused(
    kubescribe: CommandLine, databases: ThreeDatabases, detach: tuple[str, ...]
) -> None:
    scheme, rest = databases.production.split("://", 1)
    authority, host = rest.rsplit("@", 1)
    url = f"{scheme}://{authority.split(':')[0]}:hunter-2-hunter@{host}"
    note = "note=see hunter-2-hunter for more"
    ended = kubescribe("run", "takes_text", "--param", note, *detach, PROD_DB_URL=url)
    assert ended.returncode == 64
    assert "parameter note contains the password of PROD_DB_URL" in ended.stderr
    assert "hunter-2-hunter" not in ended.stdout + ended.stderr
    assert kubescribe.json("runs") == []


def test_pipelines_may_be_named_in_a_file(kubescribe: CommandLine) -> None:
    modules = kubescribe.environment.pop("KUBESCRIBE_PIPELINES")
    (kubescribe.folder / ".env").write_text(f"KUBESCRIBE_PIPELINES={modules}\n")
    ended = kubescribe("run", "takes_text", "--param", "note=found")
    assert (ended.returncode, ended.stdout) == (0, "found\n"), ended.stderr


def test_a_supervisor_that_is_killed_leaves_nothing_for_good(kubescribe: CommandLine, tmp_path: Path) -> None:
    temporary, said = tmp_path / "temporary", tmp_path / "said"
    temporary.mkdir()
    script = (
        f"echo $KUBESCRIBE_ATTEMPT_ID $KUBESCRIBE_EVENTS > {said}.new; setsid sleep 300 & mv {said}.new {said}; wait"
    )
    process = kubescribe.start("exec", "--", "sh", "-c", script, TMPDIR=str(temporary))
    wait_for(said.exists, "the payload to start")
    attempt_id, events = said.read_text().split()
    assert Path(events).parent == tmp_path / "home" / "run" / attempt_id
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: len(members(UUID(attempt_id))) == 1, "all but the one that left the session to end")
    assert kubescribe("reconcile").returncode == 0
    assert kubescribe.newest()["run"]["status"] == "lost"
    assert members(UUID(attempt_id)) == []
    assert not Path(events).parent.exists()
    assert list(temporary.iterdir()) == []


def test_where_home_cannot_be_written_another_folder_does(kubescribe: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    ended = kubescribe("exec", "--", "sh", "-c", 'echo \'{"type":"note","text":"hi"}\' > "$KUBESCRIBE_EVENTS"')
    assert ended.returncode == 0
    assert "kubescribe: hi" in ended.stderr
