"""A payload that says a list of words, and a console that keeps what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from kubescribe.application.ports.payload import Assignment, Usage, Word
from kubescribe.domain.note import NoteKind
from kubescribe.domain.summary import Summary


class Recital:
    """The words in order, and nothing behind them."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words

    async def start(self, *, run_id: UUID, attempt_id: UUID) -> None:
        pass

    async def words(self) -> AsyncIterator[Word]:
        for word in self._words:
            yield word

    async def assign(self, assignment: Assignment) -> None:
        pass

    @property
    def over(self) -> bool:
        return False

    def usage(self) -> Usage:
        return Usage()

    def terminate(self) -> None:
        pass

    def kill(self) -> None:
        pass


class PlainConsole:
    """Nothing is secret, and everything is kept."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def printed(self, stream: str, data: bytes) -> bytes:
        self.shown.append(data)
        return data

    def rest(self) -> list[tuple[str, bytes]]:
        return []

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        pass

    def said(self, text: str) -> None:
        pass

    def left_behind(self, summary: Summary) -> None:
        pass

    def ready(self) -> bool:
        return True

    def hidden(self, data: Any) -> Any:
        return data
