"""A spool in a folder: one file of JSON lines an attempt."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO
from uuid import UUID

import msgspec

from ...application.ports.spool import Entry
from ...domain.storable import storable


class FileSpool:
    """The :class:`~kubescribe.application.ports.spool.Spool` on disk; the folder is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[UUID, IO[bytes]] = {}
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        """Keep an entry, safe against a crash of this process and of the machine."""
        with contextlib.suppress(OSError):
            file = self._held.get(attempt_id) or self._hold(attempt_id)
            file.write(self._encoder.encode(storable(entry)) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def entries(self, attempt_id: UUID) -> tuple[Entry, ...]:
        """All entries that are whole."""
        try:
            lines = self._file(attempt_id).read_bytes().split(b"\n")
        except OSError:
            return ()
        entries = []
        for line in lines:
            try:
                entries.append(self._decoder.decode(line))
            except msgspec.MsgspecError:
                continue
        return tuple(entries)

    def remove(self, attempt_id: UUID) -> None:
        """Forget an attempt's entries."""
        with contextlib.suppress(OSError):
            self._file(attempt_id).unlink()
        held = self._held.pop(attempt_id, None)
        if held is not None:
            held.close()

    def close(self) -> None:
        """Let go of the files; what they hold is then anybody's to replay."""
        for file in self._held.values():
            file.close()
        self._held.clear()

    def _hold(self, attempt_id: UUID) -> IO[bytes]:
        """Open the file under a lock that ends with this process, however it ends."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(attempt_id).open("ab")
        # Waits for a moment at most: nobody else holds it longer than it takes to see that it is free.
        fcntl.flock(file, fcntl.LOCK_EX)
        self._held[attempt_id] = file
        return file

    def leftover(self) -> tuple[UUID, ...]:
        """The attempts whose file nobody holds a lock on."""
        found = []
        for path in sorted(self._folder.glob("*.jsonl")):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    # An empty one may have been made just now, by somebody who is about to lock it.
                    if path.stat().st_size:
                        found.append(UUID(path.stem))
            except (OSError, ValueError):
                continue
        return tuple(found)

    def _file(self, attempt_id: UUID) -> Path:
        return self._folder / f"{attempt_id}.jsonl"
