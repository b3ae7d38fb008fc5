"""Everything that a payload says, sorted to where it belongs."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import msgspec

from ..domain.note import NoteKind
from ..domain.summary import Summary
from .log_capture import LogCapture
from .notebook import Notebook
from .ports.payload import Declared, Ended, Payload, Printed, Raised, Refused, Returned, Told, Word


class Console(Protocol):
    """Where people look while the run goes on."""

    def printed(self, stream: str, data: bytes) -> bytes:
        """Pass the payload's output on with secrets hidden; returns what may be kept of it."""
        ...

    def rest(self) -> list[tuple[str, bytes]]:
        """What was held back of each stream, because it could have been the beginning of a secret; passed on now."""
        ...

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        """Show what the payload told."""
        ...

    def said(self, text: str) -> None:
        """Say a sentence of our own."""
        ...

    def left_behind(self, summary: Summary) -> None:
        """Say that RunLog is away and the record waits; the summary itself goes where a pod's log is kept."""
        ...

    def hidden(self, data: Any) -> Any:
        """The same data, with every secret in its texts hidden; before anything of it is kept."""
        ...


class PayloadListener:
    """Listens to one payload from its first word to its last."""

    def __init__(self, payload: Payload, capture: LogCapture, notes: Notebook, console: Console) -> None:
        self._payload = payload
        self._capture = capture
        self._notes = notes
        self._console = console
        loop = asyncio.get_running_loop()
        self.introduced: asyncio.Future[Declared | Refused | Ended] = loop.create_future()
        """The first word that says what the payload is; :class:`Ended` where it died before."""
        self.ended: asyncio.Future[Ended] = loop.create_future()
        self.raised: Raised | None = None
        self.returned: Returned | None = None

    async def listen(self) -> None:
        """Hear the payload out; ends after its last word. An error in here is an error for all who wait for the end."""
        try:
            await self._listen()
        except Exception as error:
            for future in (self.introduced, self.ended):
                if not future.done():
                    future.set_exception(error)
            raise

    async def _listen(self) -> None:
        async for word in self._payload.words():
            try:
                self._hear(word)
            except Exception as error:  # one word that nobody can make sense of: the others count
                text = f"something that the payload said was left out: {type(error).__name__} while it was heard"
                self._notes.add(NoteKind.NOTE, {"text": text})
                if isinstance(word, Declared | Refused):
                    self._introduce(Refused(message=text))
            if isinstance(word, Ended):
                self._introduce(word)
                self.ended.set_result(word)

    def _hear(self, word: Word) -> None:
        match word:
            case Printed(stream=stream, data=data):
                self._capture.feed(stream, self._console.printed(stream, data))
            case Told(kind=kind, data=data):
                clean = self._console.hidden(data)
                self._notes.add(kind, clean)
                self._console.told(kind, clean)
            case Raised(error=error):
                self.raised = msgspec.structs.replace(word, error=self._console.hidden(error))
            case Returned():
                self.returned = word
            case Declared():
                self._introduce(msgspec.structs.replace(word, parameters=self._console.hidden(word.parameters)))
            case Refused(message=message):
                self._introduce(msgspec.structs.replace(word, message=self._console.hidden(message)))
            case Ended():
                for stream, data in self._console.rest():
                    self._capture.feed(stream, data)
                self._capture.end()

    def _introduce(self, word: Declared | Refused | Ended) -> None:
        if not self.introduced.done():
            self.introduced.set_result(word)
