"""The file that ``KUBESCRIBE_EVENTS`` names: a FIFO, so that any language can write lines to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from ...application import event_stream
from ...application.event_stream import OfItself
from ...application.ports.payload import Told
from ...domain.note import NoteKind

_READ = 65_536


class EventFifo:
    """The reading end, and the words that come through it. Closing it removes it."""

    def __init__(self, attempts: Path | None, attempt_id: UUID, *, of_itself: bool) -> None:
        """``attempts``: the folder of all attempts; None, or not to be written: the system's temporary files.

        ``of_itself``: whether the payload is a worker, whose words about itself are believed.
        """
        self._of_itself = of_itself
        self._line = bytearray()
        self._too_long = False
        self.path = _make(attempts, attempt_id)
        # Open for writing as well: the stream has no end while we listen, whoever comes and goes.
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def read(self) -> list[OfItself | Told] | None:
        """The words that have come; None where nothing has."""
        try:
            self._line += os.read(self.fd, _READ)
        except (BlockingIOError, OSError):
            return None
        return list(self._words())

    def rest(self) -> OfItself | Told | None:
        """The last line, if it has no end."""
        return event_stream.decode(bytes(self._line), of_itself=self._of_itself) if self._line.strip() else None

    def close(self) -> None:
        """Remove it."""
        os.close(self.fd)
        shutil.rmtree(self.path.parent, ignore_errors=True)

    def _words(self) -> Iterator[OfItself | Told]:
        *lines, rest = self._line.split(b"\n")
        for line in lines:
            # The end of a line whose beginning was left out says nothing.
            if line.strip() and not self._too_long:
                yield event_stream.decode(bytes(line), of_itself=self._of_itself)
            self._too_long = False
        if len(rest) > event_stream.LINE_LIMIT or self._too_long:
            if not self._too_long:
                text = "a line of the event stream was too long, and left out"
                yield Told(kind=NoteKind.NOTE, data={"text": text})
            self._too_long = True
            rest = bytearray()
        self._line = bytearray(rest)


def _make(attempts: Path | None, attempt_id: UUID) -> Path:
    """In a folder of its own."""
    if attempts is not None:
        folder = attempts / str(attempt_id)
        with contextlib.suppress(OSError):  # read-only, full, or a file system without FIFOs
            folder.mkdir(mode=0o700, parents=True)
            try:
                os.mkfifo(folder / "events", 0o600)
                return folder / "events"
            except OSError:
                folder.rmdir()
    folder = Path(tempfile.mkdtemp(prefix="kubescribe-"))
    os.mkfifo(folder / "events", 0o600)
    return folder / "events"
