"""One program of the control plane, and how it is stopped, paused and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from .sweeper import VARIABLE, dying_with_this_thread


class Program:
    """A server process. ``start`` after ``stop`` gives it the same arguments, so its port stays the same."""

    def __init__(self, path: Path, arguments: Sequence[str], *, mark: str, folder: Path) -> None:
        self.name = path.name
        self.log = folder / f"{path.name}.log"
        self._folder = folder
        self._command = [str(path), *arguments]
        self._environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), VARIABLE: mark}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; AssertionError before the first start."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is there, be it paused."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; returns at once, and does nothing when it runs."""
        if self.runs:
            return
        # The kernel ties a process to the *thread* that started it, and only the main one is sure to stay.
        main = threading.current_thread() is threading.main_thread()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                dying_with_this_thread(self._command) if main else self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,  # a Ctrl-C in the terminal is not for it
            )

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it (as a crash, unless told otherwise) and wait until it is gone; also when it is paused."""
        if self._process is None or not self.runs:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(30)

    def pause(self) -> None:
        """Freeze it: connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after ``pause``."""
        os.kill(self.pid, signal.SIGCONT)

    def complain(self, what: str) -> AssertionError:
        """What to raise when it does not do what it should: with its last words."""
        words = self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else []
        return AssertionError("\n".join([f"{self.name} {what}; its last words:", *words]))

    def check(self) -> None:
        """AssertionError with its last words when it has ended by itself."""
        if self._process is not None and not self.runs:
            raise self.complain(f"ended with {self._process.returncode}")
