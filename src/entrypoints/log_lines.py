"""Our own log lines: one line an event, as text for people or as JSON for programs, with the run that it is about."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from ..application.redaction import Redactor

_TEXT_LIMIT = 8_000
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_bound: ContextVar[dict[str, str] | None] = ContextVar("kubescribe_log", default=None)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put the fields (``run_id=…``) on every line of this task until the end of the block."""
    token = _bound.set({**(_bound.get() or {}), **{name: str(value) for name, value in fields.items()}})
    try:
        yield
    finally:
        _bound.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time`` (UTC), ``level``, ``logger``, ``message``, what is bound, what is added."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end; secrets are hidden, and no text can begin another line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        line |= _bound.get() or {}
        line |= {name: _plain(value) for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["error"] = _cut(self.formatException(record.exc_info))
        return json.dumps(self._redactor.data(line))


class TextLines(logging.Formatter):
    """A line for people: ``kubescribe: message``, as every command says it; an error's lines follow it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end; secrets are hidden."""
        text = " ".join(_message(record).splitlines())
        fields = _bound.get() or {}
        if fields:
            text += " [" + " ".join(f"{name}={value}" for name, value in fields.items()) + "]"
        if record.exc_info:
            text += "\n" + _cut(self.formatException(record.exc_info))
        return "kubescribe: " + self._redactor.text(text)


def configure_logging(kind: str, secrets: Iterable[str], *, stream: TextIO | None = None) -> None:
    """Send this process's log to the error output, as ``text`` or ``json``; said again, it takes the place of before.

    Nobody's handlers but ours are touched, and nothing that a pipeline logs: its worker is a process of its own.
    """
    redactor = Redactor(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(redactor) if kind == "json" else TextLines(redactor))
    logger = logging.getLogger("kubescribe")
    for old in [one for one in logger.handlers if getattr(one, "is_ours", False)]:
        logger.removeHandler(old)
    handler.is_ours = True  # type: ignore[attr-defined]
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _message(record: logging.LogRecord) -> str:
    try:
        return _cut(record.getMessage())
    except Exception:  # a mistake in a log statement loses the event, and nothing else
        return _cut(str(record.msg))


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float) or value is None else _cut(str(value))


def _cut(text: str) -> str:
    return (
        text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT // 2]}\n… left out …\n{text[-_TEXT_LIMIT // 2 :]}"
    )
