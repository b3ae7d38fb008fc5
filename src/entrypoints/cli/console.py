"""The supervisor's console: the payload's output as it comes, and our own sentences beside it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import Any

from ...application.redaction import Redactor, StreamRedactor
from ...domain.note import NoteKind, fraction_of
from ...domain.summary import Summary

_FD = {"out": 1, "err": 2}


class TerminalConsole:
    """Writes to this process's own output; secrets are hidden on the way."""

    def __init__(self, secrets: Iterable[str]) -> None:
        redactor = Redactor(secrets)
        self._redactor = redactor
        self._streams = {name: StreamRedactor(redactor) for name in _FD}

    def printed(self, stream: str, data: bytes) -> bytes:
        """Pass output on to the stream of the same name."""
        clean = self._streams[stream].feed(data)
        self._write(_FD[stream], clean)
        return clean

    def rest(self) -> list[tuple[str, bytes]]:
        """Pass on what the redactor had held back."""
        held = [(name, stream.flush()) for name, stream in self._streams.items()]
        for name, data in held:
            self._write(_FD[name], data)
        return held

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        """Show progress and notes; the rest is on the record."""
        if kind is NoteKind.PROGRESS:
            fraction = fraction_of(data)
            share = "" if fraction is None else f"{fraction:4.0%} "
            self.said(f"{share}{data.get('text') or ''}".rstrip())
        elif kind is NoteKind.NOTE:
            self.said(str(data.get("text", "")))

    def said(self, text: str) -> None:
        """Say a sentence of our own, on the error output."""
        self._write(2, f"kubescribe: {self._redactor.text(text)}\n".encode(errors="replace"))

    def left_behind(self, summary: Summary) -> None:
        """Two lines: a sentence for people, and the summary for whoever completes the record."""
        self.said(
            "RunLog still does not answer; the run's record waits in the spool, and the next kubescribe command "
            "that reaches RunLog completes it"
        )
        self._write(1, b"kubescribe-summary: " + summary.encoded() + b"\n")

    def hidden(self, data: Any) -> Any:
        """Hide secrets in every text of it."""
        return self._redactor.data(data)

    @staticmethod
    def _write(fd: int, data: bytes) -> None:
        sys.stdout.flush()
        # Whoever listened has gone; the work goes on, and the record has it all.
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(fd, data) :]
