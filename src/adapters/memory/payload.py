"""A pipeline's worker as a thread of this process."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, TextIO
from uuid import UUID

from ...application.authoring.context import Context, Tools
from ...application.authoring.declaration import AnyPipeline
from ...application.authoring.parameters import convert, to_json
from ...application.authoring.traceback_text import traceback_text
from ...application.ports.payload import Assignment, Declared, Ended, Printed, Refused, Told, Usage, Word
from ...application.ports.source import Source
from ...application.ports.staging import Staging
from ...application.work import perform
from ...domain.errors import ConfigurationError
from ...domain.exit_code import ExitCode
from ...domain.note import NoteKind

_TERMINATED, _KILLED = 143, -9


class MemoryPayload:
    """A :class:`~kubescribe.application.ports.payload.Payload` around a pipeline's function.

    ``source`` and ``staging`` are called once an execution, when the function first needs them; None: not configured.
    A thread cannot be killed: :meth:`kill` says that it ended, hears nothing more of it, and lets its next call on the
    context fail; :meth:`terminate` raises ``SystemExit`` there, as SIGTERM does in a process.
    """

    def __init__(
        self,
        function: AnyPipeline,
        parameters: Mapping[str, Any],
        source: Callable[[], Source] | None = None,
        staging: Callable[[], Staging] | None = None,
        *,
        from_text: bool = False,
    ) -> None:
        self._function, self._given, self._from_text = function, parameters, from_text
        self._source, self._staging = source, staging
        self._values: dict[str, Any] = {}
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._context: Context | None = None
        self.thread: threading.Thread | None = None
        """The function's, for tests that wait for it."""

    async def start(self, *, run_id: UUID, attempt_id: UUID) -> None:
        """Declare the pipeline, or refuse the parameters."""
        self._loop = asyncio.get_running_loop()
        try:
            self._values = convert(self._function, self._given, from_text=self._from_text)
        except ConfigurationError as error:
            self._say(Refused(message=str(error)))
            self._end(ExitCode.USAGE)
        else:
            self._say(Declared(pipeline=self._function.pipeline, parameters=to_json(self._values)))

    async def words(self) -> AsyncIterator[Word]:
        """Everything that it says, until :class:`Ended`."""
        while True:
            word = await self._words.get()
            yield word
            if isinstance(word, Ended):
                return

    async def assign(self, assignment: Assignment) -> None:
        """Let the function begin."""
        if self._ended:
            return
        self._context = Context(
            assignment,
            Tools(self._tell, self._source, self._staging),
            reports=self._function.pipeline.reports,
            parameters=self._values,
        )
        self.thread = threading.Thread(target=self._work, args=(self._context,), name="kubescribe-work", daemon=True)
        self.thread.start()

    @property
    def over(self) -> bool:
        """Whether the function has ended."""
        return self._ended

    def usage(self) -> Usage:
        """Nothing: the process is not its own."""
        return Usage()

    def terminate(self) -> None:
        """Let the function's next call on its context raise ``SystemExit``."""
        if self._context is None:
            self._end(_TERMINATED)
        else:
            self._context.abandon(SystemExit(_TERMINATED))

    def kill(self) -> None:
        """Say that it ended, and hear nothing more of it."""
        self._end(_KILLED)
        if self._context is not None:
            self._context.abandon()

    def _work(self, context: Context) -> None:
        out, err = _Captured("out", self._say), _Captured("err", self._say)
        with _Routed(out, err):
            end = perform(self._function, self._values, context)
            if end.error is not None:
                err.write(traceback_text(end.error))
        if end.word is not None:
            self._say(end.word)
        self._end(end.exit_code)

    def _tell(self, kind: NoteKind, data: dict[str, Any]) -> None:
        self._say(Told(kind=kind, data=data))

    def _end(self, code: int) -> None:
        self._say(Ended(exit_code=code))

    def _say(self, word: Word) -> None:
        with self._lock:
            if self._ended or self._loop is None:
                return
            self._ended = isinstance(word, Ended)
            with suppress(RuntimeError):  # the loop is closed: nobody listens
                self._loop.call_soon_threadsafe(self._words.put_nowait, word)


class _Captured(io.TextIOBase):
    """What one thread prints."""

    def __init__(self, stream: str, say: Callable[[Word], None]) -> None:
        self._stream, self._say = stream, say

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if text:
            self._say(Printed(stream=self._stream, data=text.encode("utf-8", errors="backslashreplace")))
        return len(text)


class _Router(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr``: each thread prints to its own, all others as before."""

    def __init__(self, otherwise: TextIO) -> None:
        self.otherwise = otherwise
        self.own: dict[int, _Captured] = {}

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        return self.own.get(threading.get_ident(), self.otherwise).write(text)

    def flush(self) -> None:
        if threading.get_ident() not in self.own:
            self.otherwise.flush()


class _Routed:
    """While it is entered, the entering thread's output goes to ``out`` and ``err``."""

    _lock = threading.Lock()

    def __init__(self, out: _Captured, err: _Captured) -> None:
        self._captured = {"stdout": out, "stderr": err}

    def __enter__(self) -> None:
        with self._lock:
            for name, captured in self._captured.items():
                router = getattr(sys, name)
                if not isinstance(router, _Router):
                    router = _Router(router)
                    setattr(sys, name, router)
                router.own[threading.get_ident()] = captured

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for name in self._captured:
                router = getattr(sys, name)
                if isinstance(router, _Router):
                    router.own.pop(threading.get_ident(), None)
                    if not router.own:
                        setattr(sys, name, router.otherwise)
