"""What ends everything of a test cluster when its owner is gone, however it went; and how its processes are found.

Every process of a test cluster carries a mark in its environment, and so do the processes that it starts. As a program:
``python sweeper.py MARK FOLDER`` waits for the end of its standard input, which comes when the owner closes it or dies,
then kills whatever carries the mark and removes the folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

VARIABLE = "KUBE_TEST_MARK"
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


def marked(mark: str) -> list[int]:
    """The pids whose environment holds ``KUBE_TEST_MARK`` with this mark, or one below it (``mark/…``)."""
    wanted = f"{VARIABLE}={mark}".encode()
    below = wanted + b"/"
    return [pid for pid, found in _environments() if any(each == wanted or each.startswith(below) for each in found)]


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
                yield int(name), Path(f"/proc/{name}/environ").read_bytes().split(b"\0")


def kill_marked(mark: str) -> None:
    """SIGKILL until nobody with the mark is left (zombies have no environment any more)."""
    while found := marked(mark):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def dying_with_this_thread(arguments: Sequence[str]) -> list[str]:
    """The command that is killed by the kernel when the thread that started it ends (where ``setpriv`` is there).

    The pid is the command's: ``setpriv`` becomes it.
    """
    return [*(_DIES_WITH_US if shutil.which("setpriv") else ()), *arguments]


class Sweeper:
    """``with Sweeper(mark, folder)``: at the end, also by kill -9, nothing with the mark and no folder is left."""

    def __init__(self, mark: str, folder: Path) -> None:
        self._arguments = [sys.executable, "-I", "-S", __file__, mark, str(folder)]

    def __enter__(self) -> Sweeper:
        # A session of its own: Ctrl-C in the terminal is not for it.
        self._process = subprocess.Popen(self._arguments, stdin=subprocess.PIPE, start_new_session=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_marked(sys.argv[1])
    shutil.rmtree(sys.argv[2], ignore_errors=True)
