"""One item ahead of whoever takes them, so that the server and we work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Iterates ``items`` in a thread of its own: one is being made while another waits to be taken, and no more.

    An error comes where the item would have come. ``close`` ends the thread; whatever ``items`` waits for has to be
    ended first.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._room = threading.Semaphore(1)
        self._made: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
        self._over = False
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[T]:
        self._thread = threading.Thread(target=self._make, name="read-ahead", daemon=True)
        self._thread.start()
        while True:
            made = self._made.get()
            if made is None:
                return
            if isinstance(made, BaseException):
                raise made
            self._room.release()
            yield made[0]

    def close(self) -> None:
        """Take no more."""
        self._over = True
        self._room.release()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _make(self) -> None:
        try:
            for item in self._items:
                self._room.acquire()
                if self._over:
                    break
                self._made.put((item,))
        except BaseException as error:
            self._made.put(error)
        self._made.put(None)
