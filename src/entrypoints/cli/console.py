"""The supervisor's console: the payload's output as it comes, and our own sentences beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...application.redaction import Redactor, StreamRedactor
from ...domain.note import NoteKind, fraction_of
from ...domain.summary import Summary
from .outlet import Outlet

_FD = {"out": 1, "err": 2}


class TerminalConsole:
    """Writes to this process's own output; secrets are hidden on the way.

    Nobody who reads it, or fails to, can stop or delay the work: see :class:`Outlet`.
    """

    def __init__(self, secrets: Iterable[str], *, as_json: bool = False) -> None:
        """``as_json``: our own sentences are JSON objects, one a line (``KUBESCRIBE_LOG=json``)."""
        redactor = Redactor(secrets)
        self._as_json = as_json
        self._run_id: str | None = None
        self._redactor = redactor
        self._streams = {name: StreamRedactor(redactor) for name in _FD}
        self._outlet = Outlet()

    def printed(self, stream: str, data: bytes) -> bytes:
        """Pass output on to the stream of the same name."""
        clean = self._streams[stream].feed(data)
        self._outlet.put(_FD[stream], clean)
        return clean

    def rest(self) -> list[tuple[str, bytes]]:
        """Pass on what the redactor had held back."""
        held = [(name, stream.flush()) for name, stream in self._streams.items()]
        for name, data in held:
            self._outlet.put(_FD[name], data)
        return held

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        """Show progress and notes; the rest is on the record."""
        if kind is NoteKind.PROGRESS:
            fraction = fraction_of(data)
            share = "" if fraction is None else f"{fraction:4.0%} "
            self.said(f"{share}{data.get('text') or ''}".rstrip())
        elif kind is NoteKind.NOTE:
            self.said(str(data.get("text", "")))

    def bind(self, run_id: object) -> None:
        """What is said from now on is about this run."""
        self._run_id = str(run_id)

    def said(self, text: str) -> None:
        """Say a sentence of our own, on the error output."""
        if self._as_json:
            self._outlet.put(2, self._json_line(text))
            return
        self._outlet.put(2, f"kubescribe: {self._redactor.text(text)}\n".encode(errors="replace"))

    def _json_line(self, text: str) -> bytes:
        import json  # the fields are those of log_lines.JsonLines; logging itself would cost every run its import
        from datetime import UTC, datetime

        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": "info"}
        line |= {"logger": "kubescribe.run", "message": self._redactor.text(text)}
        return json.dumps(line | ({} if self._run_id is None else {"run_id": self._run_id})).encode() + b"\n"

    def left_behind(self, summary: Summary) -> None:
        """Two lines: a sentence for people, and the summary for whoever completes the record."""
        self.said(
            "RunLog still does not answer; the run's record waits in the spool, and `kubescribe reconcile` completes "
            "it when RunLog is back"
        )
        self._outlet.put(1, b"kubescribe-summary: " + summary.encoded() + b"\n")

    def hidden(self, data: Any) -> Any:
        """Hide secrets in every text of it."""
        return self._redactor.data(data)

    def ready(self) -> bool:
        """Whether people's end takes more."""
        return self._outlet.ready()

    def flush(self) -> None:
        """At the end: wait for who still reads, and for nobody else."""
        self._outlet.flush()
