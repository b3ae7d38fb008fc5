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

_LOOK = 0.01


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

    def ready(self) -> bool:
        """Whether more may be printed now; False for as long as the reader lags behind, but reads."""
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
            # Who reads slowly slows the payload down, as a pipe would, and nothing else: the loop is free meanwhile.
            # A payload that is over has no more to say than what waits here.
            while not (self._console.ready() or self._payload.over):  # noqa: ASYNC110 - both ends are other threads
                await asyncio.sleep(_LOOK)

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
                self._introduce(self._without_secrets(word))
            case Refused(message=message):
                self._introduce(msgspec.structs.replace(word, message=self._console.hidden(message)))
            case Ended():
                for stream, data in self._console.rest():
                    self._capture.feed(stream, data)
                self._capture.end()

    def _without_secrets(self, word: Declared) -> Declared | Refused:
        """Parameters are kept as they are, or another attempt would get the mask for the value: so none is secret."""
        secret = [
            name for name, value in word.parameters.items() if self._console.hidden([name, value]) != [name, value]
        ]
        if not secret:
            return word
        names = ", ".join(map(str, self._console.hidden(secret)))
        return Refused(
            message=f"parameter {names} contains a password of this configuration; parameters are kept on record, "
            "so let the pipeline take secrets from its environment"
        )

    def _introduce(self, word: Declared | Refused | Ended) -> None:
        if not self.introduced.done():
            self.introduced.set_result(word)
