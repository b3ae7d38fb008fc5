"""A listener hears its payload out, whatever that says."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from tests.support.listening import PlainConsole, Recital

from kubescribe.application.log_capture import LogCapture
from kubescribe.application.notebook import Notebook
from kubescribe.application.payload_listener import PayloadListener
from kubescribe.application.ports.payload import Declared, Ended, Printed, Refused, Told, Word
from kubescribe.application.redaction import Redactor
from kubescribe.domain.note import NoteKind
from kubescribe.domain.pipeline import Pipeline

ATTEMPT = UUID(int=7)


class Fragile(PlainConsole):
    """Breaks at one word."""

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        if data.get("text") == "break":
            raise OverflowError("int too large to convert to float")
        super().told(kind, data)


def listened(loop: asyncio.Runner, words: list[Word], console: Any) -> tuple[PayloadListener, Notebook, LogCapture]:
    async def listen() -> tuple[PayloadListener, Notebook, LogCapture]:
        capture, notes = LogCapture(ATTEMPT, 10_000, lambda: 0.0), Notebook(ATTEMPT)
        listener = PayloadListener(Recital(words), capture, notes, console)
        await asyncio.wait_for(listener.listen(), 10)
        return listener, notes, capture

    return loop.run(listen())


def test_one_bad_word_is_noted_and_the_others_are_heard(loop: asyncio.Runner) -> None:
    words: list[Word] = [
        Told(kind=NoteKind.NOTE, data={"text": "break"}),
        Told(kind=NoteKind.METRIC, data={"name": "rows", "value": 3}),
        Printed(stream="out", data=b"hello\n"),
        Ended(exit_code=0),
    ]
    listener, notes, capture = listened(loop, words, Fragile())
    assert listener.ended.result() == Ended(exit_code=0)
    assert capture.tail() == ("hello",)
    told = [(note.kind, note.data) for note in notes.drain()]
    assert (NoteKind.METRIC, {"name": "rows", "value": 3}) in told
    assert any("OverflowError" in str(data) for kind, data in told if kind is NoteKind.NOTE)


class Hiding(PlainConsole):
    """Knows one secret."""

    def hidden(self, data: Any) -> Any:
        return Redactor(("correct-horse",)).data(data)


def test_a_secret_among_the_parameters_is_refused_and_not_replaced(loop: asyncio.Runner) -> None:
    words: list[Word] = [
        Declared(pipeline=Pipeline(name="sales"), parameters={"n": 1, "url": ["to correct-horse"]}),
        Ended(exit_code=0),
    ]
    listener, _, _ = listened(loop, words, Hiding())
    word = listener.introduced.result()
    assert isinstance(word, Refused)
    assert "parameter url contains a password" in word.message and "correct-horse" not in word.message
