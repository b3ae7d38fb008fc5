"""A ``kubescribe run`` or ``exec`` in a process of its own, held at a failpoint, and broken there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .processes import children
from .waiting import wait_for

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "kubescribe.entrypoints.cli.main")


def dies_with_us() -> Callable[[], None]:
    """What a child does first, so that a test process that is killed leaves nobody behind, stopped ones included."""
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask


class NotReached(AssertionError):
    """It ended before the step at which it should have been held."""


class Supervised:
    """One process of the command line; ``hold`` is the step at which it, or its worker, waits for us."""

    def __init__(
        self, folder: Path, number: int, arguments: Sequence[str], environment: Mapping[str, str], hold: str | None
    ) -> None:
        self.arguments = tuple(arguments)
        self.hold = hold
        self.sent: list[str] = []
        """What we did to the supervisor."""
        self._path = folder / f"hold-{number}"
        self._log = folder / f"output-{number}"
        armed = {"KUBESCRIBE_FAILPOINT": f"{hold}=hold:{self._path}"} if hold else {}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment, **armed},
                cwd=ROOT,
                preexec_fn=dies_with_us(),
            )
        self.pid = self._process.pid
        self._frozen: list[int] = []

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def reached(self) -> int:
        """Wait until the step is reached; the pid of who waits there."""
        try:
            wait_for(
                lambda: self._path.exists() or self.exit_code is not None, f"{self.hold} to be reached", timeout=30
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; its worker: {self.workers()}; it said:\n{self.output}") from None
        if not self._path.exists():
            raise NotReached(f"it ended with {self.exit_code} before {self.hold}:\n{self.output}")
        return int(self._path.read_text())

    def workers(self) -> list[int]:
        """The pids of its payload; empty when that is not there."""
        return children(self.pid)

    def kill(self) -> None:
        """SIGKILL to the supervisor; its worker follows by itself."""
        self._signal(signal.SIGKILL)
        self._process.wait(10)

    def kill_worker(self) -> None:
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_both(self) -> None:
        """Both at one moment, as a lost machine does: the supervisor is stopped so that it sees nothing."""
        self._signal(signal.SIGSTOP)
        self.kill_worker()
        self.kill()

    def freeze(self) -> None:
        """SIGSTOP to supervisor and payload, as a machine does that is paused; the step is let go of meanwhile."""
        self._signal(signal.SIGSTOP)
        self._frozen = self.workers()
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self.release()

    def thaw(self) -> None:
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen = []
        if self.exit_code is None:
            self._signal(signal.SIGCONT)

    def release(self) -> None:
        """Let it go on from the step."""
        self._path.unlink(missing_ok=True)

    def ended(self, timeout: float = 60.0) -> int:
        """Let go of it, wherever it waits, and wait for its end. A worker of a further attempt stops there again."""

        def over() -> bool:
            self.release()
            return self.exit_code is not None

        wait_for(over, f"{' '.join(self.arguments)} to end; it said:\n{self.output}", timeout=timeout)
        return self._process.wait()

    def close(self) -> None:
        """Whatever became of it: it is gone afterwards."""
        if self.exit_code is None:
            workers = self.workers()
            self._process.kill()
            self._process.wait(10)
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        self.sent.append(number.name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
