"""The work of one attempt: a pipeline's function, from its first line to its last word.

The same whether it runs in a process of its own or in a thread of a test.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from ..domain.errors import KubescribeError
from ..domain.exit_code import ExitCode
from .authoring.context import Context
from .authoring.declaration import AnyPipeline
from .authoring.failure import Abandoned, GiveUp, Retry
from .failpoints import failpoint
from .ports.payload import Raised, Returned

ERROR_LIMIT = 16_384
"""Bytes of an error's text in the record."""


class WorkEnd(msgspec.Struct, frozen=True):
    """How the work ended."""

    exit_code: int
    word: Returned | Raised | None = None
    """The last word, still to be said; None: the exit code says it all."""
    error: BaseException | None = None
    """What was raised, for a traceback."""


def perform(function: AnyPipeline, values: dict[str, Any], context: Context) -> WorkEnd:
    """Call the function with converted parameters, and close what it opened. Raises nothing at all.

    ``sys.exit(0)`` is an end like any other; another code is the payload's own. A driver's panic, which is no
    ``Exception``, is an error like any other.
    """
    try:
        try:
            context.prepare()
            _call(function, context, values)
            failpoint("worker.returned")
            end = WorkEnd(ExitCode.DONE, Returned(reports=context.finish()))
        finally:
            with suppress(Exception):  # what was staged stays, whatever becomes of the connection
                context.close()
    except BaseException as error:
        return ended_by(error)
    return end


def ended_by(error: BaseException) -> WorkEnd:
    """What an error that left the function means."""
    if isinstance(error, KubescribeError):
        code = int(error.exit_code)
        return _raised(error, str(error), code, retry=code in (ExitCode.TEMPORARY, ExitCode.PAYLOAD))
    if isinstance(error, (Retry, GiveUp)):
        after = error.after if isinstance(error, Retry) else None
        return _raised(error, _message(error), ExitCode.PAYLOAD, retry=isinstance(error, Retry), after=after)
    if isinstance(error, Abandoned):
        return WorkEnd(ExitCode.FENCED)
    if isinstance(error, SystemExit):
        return _exited(error)
    if isinstance(error, KeyboardInterrupt):
        return _raised(error, "KeyboardInterrupt: it was interrupted", 130, retry=False)
    return _raised(error, _message(error), ExitCode.PAYLOAD, retry=True)


def _call(function: Callable[..., Any], context: Context, values: dict[str, Any]) -> None:
    try:
        function(context, **values)
    except SystemExit as error:
        if error.code not in (None, 0):
            raise


def _exited(error: SystemExit) -> WorkEnd:
    if isinstance(error.code, int):
        # The system keeps eight bits: 256 must not become success.
        return WorkEnd(error.code & 0xFF or ExitCode.PAYLOAD.value)
    return _raised(error, f"SystemExit: {error.code}", ExitCode.PAYLOAD, retry=True)


def _raised(error: BaseException, text: str, code: int, *, retry: bool, after: float | None = None) -> WorkEnd:
    return WorkEnd(int(code), Raised(error=_storable(text), exit_code=int(code), retry=retry, after=after), error)


def _message(error: BaseException) -> str:
    """``ValueError: what it says``, as Python prints it, whatever the error's own ``__str__`` does."""
    cls = type(error)
    ours = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
    name = (
        cls.__name__ if ours or cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"
    )
    try:
        text = str(error)
    except BaseException as broken:
        text = f"(its text cannot be had: {type(broken).__name__})"
    return f"{name}: {text}" if text else name


def _storable(text: str) -> str:
    """Text that JSON and PostgreSQL can hold: no NUL, no half characters, not too long."""
    if len(text) > ERROR_LIMIT:  # before anything is done with 10 MB
        text = (
            f"{text[: ERROR_LIMIT // 2]} … {len(text) - ERROR_LIMIT} characters left out … {text[-ERROR_LIMIT // 2 :]}"
        )
    data = text.replace("\0", "\\0").encode("utf-8", errors="backslashreplace")
    if len(data) <= ERROR_LIMIT:
        return data.decode()
    half = ERROR_LIMIT // 2 - 32
    head, tail = data[:half].decode(errors="ignore"), data[-half:].decode(errors="ignore")
    return f"{head} … left out … {tail}"
