"""A data folder that must be quiet again after each test, and commands that use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubescribe.adapters.embedded.data import servers_in
from tests.support.processes import command_line
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[3]
StartCommand = Callable[..., "Command"]


class Command:
    """A process that holds the server of a home."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.command", str(home), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._line: str | None = None

    @property
    def answer(self) -> list[str]:
        """What it printed when it was attached: port and password, and perhaps the pid of its child."""
        assert self.process.stdout is not None
        if self._line is None:
            self._line = self.process.stdout.readline()
            assert self._line, f"the command ended with {self.process.wait()}"
        return self._line.split()

    @property
    def port(self) -> int:
        return int(self.answer[0])

    def url(self, database: str = "runlog") -> str:
        return f"postgresql://kubescribe:{self.answer[1]}@127.0.0.1:{self.port}/{database}"

    def end(self) -> None:
        assert self.answer
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def keepers_of(home: Path) -> list[int]:
    """The pids of the keepers of a home."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    lines = {pid: command_line(pid) for pid in pids}
    return [pid for pid, line in lines.items() if str(home) in line and any("embedded.keeper" in each for each in line)]


def servers_of(home: Path) -> list[int]:
    """The pids of every process of the server of a home."""
    return servers_in(home / "postgres" / "data")


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def wait_quiet(home: Path) -> None:
    """Wait until neither keeper nor server of a home is left."""
    wait_for(lambda: not keepers_of(home) and not servers_of(home), f"everything of {home} to end")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "home"
    yield made
    try:
        wait_quiet(made)
    finally:
        for pid in (*keepers_of(made), *servers_of(made)):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(home: Path) -> Iterator[StartCommand]:
    """Starts commands; those that still run at the end are told to end."""
    started: list[Command] = []

    def make(*arguments: str) -> Command:
        started.append(Command(home, *arguments))
        return started[-1]

    yield make
    for command in started:
        if command.process.poll() is None:
            command.process.communicate(timeout=60)
        for stream in (command.process.stdin, command.process.stdout):
            if stream is not None:
                stream.close()
