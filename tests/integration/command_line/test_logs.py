"""``kubescribe logs``: on a terminal, in a pipe, and while it is followed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import MAIN, CommandLine
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def test_escapes_are_for_pipes_only(kubescribe: CommandLine) -> None:
    assert kubescribe("exec", "--", "printf", r"\033]0;title\007 \033[31mred\033[0m\n").returncode == 0
    run_id = kubescribe.newest()["run"]["id"]
    assert kubescribe("logs", run_id).stdout == "\x1b]0;title\x07 \x1b[31mred\x1b[0m\n"
    ours, theirs = pty.openpty()
    subprocess.run(
        [*MAIN, "logs", run_id], env=kubescribe.environment, cwd=kubescribe.folder, stdout=theirs, check=True
    )
    assert os.read(ours, 1000) == b"\\x1b]0;title\\x07 \x1b[31mred\x1b[0m\x1b[0m\r\n"
    os.close(ours)
    os.close(theirs)


def test_it_says_where_the_next_attempt_begins(kubescribe: CommandLine) -> None:
    script = "test -e told && exec echo second; touch told; echo first; exit 3"
    assert kubescribe("exec", "--retries", "1", "--retry-delay", "0s", "--", "sh", "-c", script).returncode == 0
    run_id = kubescribe.newest()["run"]["id"]
    printed = kubescribe("logs", run_id)
    assert (printed.stdout, printed.stderr) == ("first\nsecond\n", "kubescribe: attempt 2\n")
    assert kubescribe("logs", run_id, "--attempt", "2").stderr == ""


def test_following_a_run_that_is_killed_ends(tmp_path: Path) -> None:
    """The embedded mode has no reconciler but the commands themselves."""
    kubescribe = CommandLine(tmp_path, None)
    started = tmp_path / "started"
    process = kubescribe.start("exec", "--", "sh", "-c", f"echo begun; touch {started}; sleep 300")
    try:
        wait_for(started.exists, "the payload to start", timeout=60)
        following = subprocess.Popen(
            [*MAIN, "logs", kubescribe.json("runs")[0]["id"], "--follow"],
            env=kubescribe.environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert following.stdout is not None
        assert following.stdout.readline() == "begun\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    out, err = following.communicate(timeout=30)
    assert (following.returncode, out) == (0, "")
    assert "was found to be lost" in err
