"""How many supervisors are at work on this machine, and for which runs: one locked file each.

A supervisor inherits the lock of its run's file and holds it as long as it lives, whatever it does and whoever
started it: so nobody has to remember anything, and nothing has to be cleared away after a crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

_TURN = "turn"
PATIENCE = 5.0
"""Seconds to wait for one's turn, which takes milliseconds."""
_AGAIN = 0.005
_KEPT = 86_400.0
"""Seconds after which the file of a supervisor that has ended goes: until then it says that there was one."""


class SupervisorSlots:
    """The files of one folder. Any number of processes may use it at once, each in its :meth:`turn`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Be alone in taking slots: whoever counts sees all that were taken.

        Raises :class:`TimeoutError` where somebody else does not come to an end with it: a stopped process, say.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._folder / _TURN, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + PATIENCE
            while not _locked(fd):
                if time.monotonic() > until:
                    raise TimeoutError(f"another process has its turn for more than {PATIENCE:g} s")
                time.sleep(_AGAIN)
            yield
        finally:
            os.close(fd)

    def take(self, run_id: UUID) -> int | None:
        """A descriptor that holds the run's slot until the last copy of it is closed; None: a supervisor has it."""
        fd = os.open(self._folder / str(run_id), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(fd):
            os.close(fd)
            return None
        os.utime(fd)
        return fd

    def give_back(self, run_id: UUID) -> None:
        """Forget a slot that was taken for a supervisor which was not started."""
        (self._folder / str(run_id)).unlink(missing_ok=True)

    def state(self, run_id: UUID) -> bool | None:
        """True: the run's supervisor is there. False: it was, and has ended. None: nobody here knows of one."""
        try:
            fd = os.open(self._folder / str(run_id), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return not _locked(fd)
        finally:
            os.close(fd)

    def taken(self) -> int:
        """How many supervisors are there; the files of those that ended long ago go."""
        count = 0
        for file in self._folder.iterdir():
            if file.name == _TURN:
                continue
            held = self.state(UUID(file.name)) if _is_uuid(file.name) else None
            count += held is True
            with contextlib.suppress(OSError):
                if held is False and file.stat().st_mtime < time.time() - _KEPT:
                    file.unlink()
        return count


def _locked(fd: int) -> bool:
    """Whether the file is locked now, by this descriptor."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
