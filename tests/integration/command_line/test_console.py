"""Whatever becomes of our output, the work goes on and the record has it all."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.support.command_line import MAIN, CommandLine
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

LINES = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; cat; echo the last line"


def full(kubescribe: CommandLine) -> int:
    return _to(kubescribe, "exec >/dev/full")


def full_both(kubescribe: CommandLine) -> int:
    return _to(kubescribe, "exec >/dev/full 2>&1")


def closed(kubescribe: CommandLine) -> int:
    return _to(kubescribe, "exec >&-")


def all_closed(kubescribe: CommandLine) -> int:
    return _to(kubescribe, "exec <&- >&- 2>&-")


def does_not_block(kubescribe: CommandLine) -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    command = [*MAIN, "exec", "--", "sh", "-c", "head -c 1000000 /dev/zero; " + LINES]
    process = subprocess.Popen(
        command, env=kubescribe.environment, cwd=kubescribe.folder, stdin=subprocess.DEVNULL, stdout=writer
    )
    os.close(writer)
    read = b""
    while data := os.read(reader, 65_536):
        read += data
    os.close(reader)
    assert read.count(b"\0") == 1_000_000 and read.endswith(b"the last line\n")
    return process.wait()


def _to(kubescribe: CommandLine, redirect: str) -> int:
    script = f'{redirect}; exec "$@"'
    command = ["sh", "-c", script, "sh", *MAIN, "exec", "--", "sh", "-c", LINES]
    return subprocess.run(
        command, env=kubescribe.environment, cwd=kubescribe.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode


@pytest.mark.parametrize(
    "end", [full, full_both, closed, all_closed, does_not_block], ids=lambda function: function.__name__
)
def test_output_that_cannot_be_written(kubescribe: CommandLine, end: Callable[[CommandLine], int]) -> None:
    assert end(kubescribe) == 0
    record = kubescribe.newest()
    assert record["run"]["status"] == "succeeded"
    logs = kubescribe("logs", record["run"]["id"]).stdout
    assert "line 199\nthe last line\n" in logs


@pytest.mark.parametrize("by", ["deadline", "signal"])
def test_a_reader_that_stalls_holds_nothing_up(kubescribe: CommandLine, by: str) -> None:
    reader, writer = os.pipe()
    command = [*MAIN, "exec", "--run-deadline", "2s" if by == "deadline" else "1h", "--", "yes"]
    process = subprocess.Popen(
        command, env=kubescribe.environment, cwd=kubescribe.folder, stdout=writer, stderr=subprocess.DEVNULL
    )
    os.close(writer)
    wait_for(lambda: [run["status"] for run in kubescribe.json("runs")] == ["running"], "the run to start", every=0.2)
    began = time.monotonic()
    if by == "signal":
        process.send_signal(signal.SIGTERM)
    assert process.wait(40) == (1 if by == "deadline" else 143)
    assert time.monotonic() - began < 20
    os.close(reader)
    assert kubescribe.newest()["run"]["cause"] == ("run_deadline" if by == "deadline" else "signal")
