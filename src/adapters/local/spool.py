"""A spool in a folder: one file of JSON lines an attempt."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from uuid import UUID

import msgspec

from ...application.ports.spool import Entry


class FileSpool:
    """The :class:`~kubescribe.application.ports.spool.Spool` on disk; the folder is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        """Keep an entry, safe against a crash of this process and of the machine."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._file(attempt_id).open("ab") as file:
                file.write(self._encoder.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def entries(self, attempt_id: UUID) -> tuple[Entry, ...]:
        """All entries that are whole."""
        try:
            lines = self._file(attempt_id).read_bytes().split(b"\n")
        except FileNotFoundError:
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
        self._file(attempt_id).unlink(missing_ok=True)

    def attempts(self) -> tuple[UUID, ...]:
        """The attempts that have entries, the oldest first."""
        try:
            return tuple(sorted(UUID(path.stem) for path in self._folder.glob("*.jsonl")))
        except (OSError, ValueError):
            return ()

    def _file(self, attempt_id: UUID) -> Path:
        return self._folder / f"{attempt_id}.jsonl"
