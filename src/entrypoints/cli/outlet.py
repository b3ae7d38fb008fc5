"""Output that never holds its writer up: a thread of its own brings it to whoever reads, as fast as they read."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections import deque

BOUND = 8 * 1024 * 1024
"""Bytes that may wait for one reader; with more the writer is asked to wait itself (:meth:`Outlet.ready`)."""
PATIENCE = 1.0
"""Seconds without any progress after which nobody is taken to be reading."""
LONGEST_FLUSH = 60.0
"""Seconds that the end waits at most for a reader who is slow, but reads."""

_PIECE = 4096  # a pipe that takes anything takes so much at once (PIPE_BUF), so that the write cannot block
_LOOK = 0.05


class Outlet:
    """Writes to file descriptors, in the order in which it was asked to, from one daemon thread.

    Nothing is lost while the reader makes progress and the writer heeds :meth:`ready`. What an error makes
    impossible to write is left out: the work that is shown here goes on, and the record has it all. Where one
    descriptor's reader stalls, the other's output overtakes it.
    """

    def __init__(self, *, bound: int = BOUND, patience: float = PATIENCE) -> None:
        self._bound, self._patience = bound, patience
        self._streams: dict[int, _Stream] = {}
        self._pieces = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, fd: int, data: bytes) -> None:
        """Have it written; returns at once."""
        if not data:
            return
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kubescribe-console", daemon=True)
                self._thread.start()
            self._pieces += 1
            stream = self._streams.setdefault(fd, _Stream(fd, self._bound, self._patience))
            stream.put(self._pieces, data)
            self._changed.notify_all()

    def ready(self) -> bool:
        """Whether to go on: False while more waits than should, and somebody reads it."""
        with self._changed:
            return all(one.size <= self._bound or one.stalled() for one in self._streams.values())

    def flush(self) -> int:
        """Wait until all is written, or nobody reads; the bytes that are left."""
        began = time.monotonic()
        with self._changed:
            while True:
                now = time.monotonic()
                left = [one for one in self._streams.values() if one.queue]
                if not left or now - began > LONGEST_FLUSH:
                    break
                if all(now - max(one.moved_at, began) > 2 * self._patience for one in left):
                    break
                self._changed.wait(_LOOK)
            return sum(one.size for one in left)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (waiting := [one for one in self._streams.values() if one.queue]):
                    self._changed.wait()
                first, *others = sorted(waiting, key=lambda one: one.queue[0][0])
                overtaking = [one for one in others if first.silent_for() > self._patience]
            if not self._write(first, 0 if overtaking else _LOOK) and overtaking:
                self._write(overtaking[0], _LOOK)

    def _write(self, stream: _Stream, wait: float) -> bool:
        """Write of the first piece what is taken now; False where nothing is."""
        with self._changed:
            piece = stream.first()
        done = 0
        while done < len(piece):
            taken = _write(stream.fd, piece[done : done + _PIECE], wait)
            if taken == 0:
                break
            done += len(piece) if taken is None else taken
            stream.moved_at = time.monotonic()
        with self._changed:
            stream.took(min(done, len(piece)))
            self._changed.notify_all()
        return done > 0


class _Stream:
    """What waits for one file descriptor; to be used under the lock."""

    def __init__(self, fd: int, bound: int, patience: float) -> None:
        self.fd, self._bound, self._patience = fd, bound, patience
        self.queue: deque[tuple[int, bytes]] = deque()
        self.size = 0
        self.moved_at = time.monotonic()
        self._stalled = False
        self._gap = 0
        """Bytes left out behind the last piece."""

    def put(self, number: int, data: bytes) -> None:
        if not self.queue:
            self.moved_at = time.monotonic()  # until now there was nothing to read
        if self.size + len(data) > self._bound and (self.stalled() or self.size > 2 * self._bound):
            self._gap += len(data)
            return
        if self._gap:
            data, self._gap = _gap(self._gap) + data, 0
        self.queue.append((number, data))
        self.size += len(data)

    def stalled(self) -> bool:
        """Whether nobody reads. Once stalled it stays so until half is read, or every word would wait anew."""
        if self._stalled:
            self._stalled = self.size > self._bound // 2
        elif self.queue:
            self._stalled = self.silent_for() > self._patience
        return self._stalled

    def silent_for(self) -> float:
        return time.monotonic() - self.moved_at

    def first(self) -> bytes:
        return self.queue[0][1]

    def took(self, count: int) -> None:
        number, piece = self.queue.popleft()
        if count < len(piece):
            self.queue.appendleft((number, piece[count:]))
        self.size -= count
        if self._gap and not self.queue:
            text, self._gap = _gap(self._gap), 0
            self.queue.append((number, text))
            self.size += len(text)


def _gap(size: int) -> bytes:
    return f"\n… {size} bytes not shown: nobody reads; kubescribe logs has the record …\n".encode()


def _write(fd: int, data: bytes, wait: float) -> int | None:
    """How many bytes were taken now; None where it can never be written."""
    try:
        _, writable, _ = select.select((), (fd,), (), wait)
        return os.write(fd, data) if writable else 0
    except OSError as error:
        return 0 if error.errno in (errno.EAGAIN, errno.EINTR) else None
    except ValueError:  # no descriptor at all
        return None
