"""Locks on files that the kernel gives back when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from pathlib import Path

if sys.platform != "win32":
    import fcntl

SUPPORTED = sys.platform != "win32"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class FileLock:
    """One holder of an flock, shared or exclusive; not reentrant, one object a holder.

    The lock belongs to this process alone: a program that it starts does not inherit it (close on exec), and
    a forked child closes its copy at once. Otherwise a worker process would keep the lock of a dead command.
    Only with ``for_children`` may a child get the descriptor, explicitly.
    """

    def __init__(self, path: Path, *, for_children: bool = False) -> None:
        self.path = path
        self._for_children = for_children
        self._descriptor: int | None = None

    def acquire(self, *, shared: bool, deadline: float = 0.0) -> bool:
        """Take the lock; false when the monotonic clock passes ``deadline`` (at once, without one)."""
        pause = 0.001
        while not self._try(shared):
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        return True

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Unlocked by name: a copy that slipped into a child must not keep it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def is_current(self) -> bool:
        """Whether the file is still the one that was locked: the folder may have been deleted meanwhile."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def write_text(self, text: str) -> None:
        """Replace the content of the locked file."""
        os.ftruncate(self.descriptor(), 0)
        os.pwrite(self.descriptor(), text.encode(), 0)

    def descriptor(self) -> int:
        """The descriptor, for a child that shall hold the lock as well."""
        assert self._descriptor is not None, "not held"
        return self._descriptor

    def hand_over(self) -> None:
        """Close our descriptor without unlocking: from now on only the children that got it hold the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _try(self, shared: bool) -> bool:
        with _forking:  # so that no fork falls between open and the note of it
            self._descriptor = os.open(self.path, _FLAGS, 0o600)
            if not self._for_children:
                _held.add(self)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            self.hand_over()
            return False
        except OSError:
            self.hand_over()
            raise
        if not self.is_current():  # the file was replaced between open and lock
            self.hand_over()
            return False
        return True


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock exclusively; a missing file is held by nobody."""
    probe = FileLock(path)
    if not path.exists() or probe.acquire(shared=True):
        probe.release()
        return False
    return True


_held: weakref.WeakSet[FileLock] = weakref.WeakSet()
_forking = threading.Lock()


def _drop_in_child() -> None:
    for lock in list(_held):
        with contextlib.suppress(OSError):
            lock.hand_over()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_drop_in_child)
