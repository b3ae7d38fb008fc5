"""The notes of one attempt, numbered as they come."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..domain.note import Note, NoteKind, fraction_of

LIMIT = 10_000
"""Notes of one attempt; a payload that tells more is told so once, and the rest is left out."""


class Notebook:
    """Collects what the payload tells until it is written to RunLog."""

    def __init__(self, attempt_id: UUID) -> None:
        self._attempt_id = attempt_id
        self._seq = 0
        self._pending: list[Note] = []
        self.progress: float | None = None
        self.progress_text: str | None = None

    def add(self, kind: NoteKind, data: dict[str, Any]) -> None:
        """Take a note; of progress, which may come a thousand times a second, only the newest between two writings."""
        if kind is NoteKind.PROGRESS:
            fraction, text = fraction_of(data), data.get("text")
            if fraction is not None:
                data = {**data, "fraction": fraction}
            self.progress = fraction
            self.progress_text = text if isinstance(text, str) else None
            if self._pending and self._pending[-1].kind is NoteKind.PROGRESS:
                last = self._pending.pop()
                self._pending.append(Note(attempt_id=self._attempt_id, seq=last.seq, kind=kind, data=data))
                return
        if self._seq > LIMIT:
            return
        self._seq += 1
        if self._seq > LIMIT:
            kind, data = NoteKind.NOTE, {"text": f"more than {LIMIT} notes: what came later was left out"}
        self._pending.append(Note(attempt_id=self._attempt_id, seq=self._seq, kind=kind, data=data))

    def drain(self) -> tuple[Note, ...]:
        """What is to be written now."""
        notes, self._pending = tuple(self._pending), []
        return notes
