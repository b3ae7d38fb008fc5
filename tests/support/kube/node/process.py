"""The process of a container, and those that it starts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.kube.sweeper import VARIABLE, dying_with_this_thread, kill_marked, marked


class NotStarted(Exception):
    """The runtime could not start the command; in runc's words."""


class Process:
    """A started command; its processes are known by the mark in their environment.

    As in a container, the end of the first process is the end of all.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path, mark: str
    ) -> None:
        """Start it in ``folder``, printing to ``log``. Raises :class:`NotStarted`."""
        self.mark = mark
        self.log = log
        _check(command[0], environment.get("PATH", ""), folder)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                dying_with_this_thread(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**environment, VARIABLE: mark},
                start_new_session=True,
            )
        self.pid = self._process.pid

    async def wait(self) -> int:
        """The exit code as a container runtime says it: 128 and the number for a signal."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        descriptor = os.pidfd_open(self.pid)
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        code = self._process.wait()
        kill_marked(self.mark)
        return 128 - code if code < 0 else code

    def pids(self) -> list[int]:
        """All processes of the container that run."""
        return marked(self.mark)

    def send(self, number: signal.Signals) -> None:
        """To the first process, as the kubelet does it."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL to all."""
        self.send(signal.SIGKILL)
        kill_marked(self.mark)

    def freeze(self) -> None:
        """SIGSTOP to all, also to those that are started meanwhile."""
        stopped: set[int] = set()
        while new := set(self.pids()) - stopped:
            self._all(new, signal.SIGSTOP)
            stopped |= new

    def thaw(self) -> None:
        """SIGCONT to all."""
        self._all(set(self.pids()), signal.SIGCONT)

    def memory(self) -> int:
        """Bytes that nobody else could use: anonymous and shared memory of the first process and its descendants."""
        return sum(map(_memory, _family(self.pid)))

    def reap(self) -> None:
        """Take the exit code, after :meth:`kill`."""
        self._process.wait(10)

    @staticmethod
    def _all(pids: set[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _check(program: str, path: str, folder: Path) -> None:
    if "/" not in program:
        if shutil.which(program, path=path) is None:
            raise NotStarted(f'exec: "{program}": executable file not found in $PATH')
        return
    if not (folder / program).exists():
        raise NotStarted(f'exec: "{program}": stat {program}: no such file or directory')
    if not os.access(folder / program, os.X_OK):
        raise NotStarted(f'exec: "{program}": permission denied')


def _family(pid: int) -> list[int]:
    try:
        tasks = [Path(task, "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [pid, *(each for names in tasks for name in names for each in _family(int(name)))]


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
