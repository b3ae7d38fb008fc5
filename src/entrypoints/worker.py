"""The worker: ``python -m kubescribe.entrypoints.worker NAME``, started by a supervisor around one pipeline.

Standard input, line 1: ``{"parameters": {…}, "from_text": true, "pipelines": ["module"]}``. The worker declares
itself on the event stream, or refuses and ends with 64. Line 2: the :class:`Assignment`; without it the worker ends,
for nobody wants its work. Then standard input is empty for the pipeline, and its output is its own. Secrets come this
way because arguments and environments can be read by others.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import msgspec

from ..application import event_stream
from ..application.authoring.context import Context
from ..application.authoring.declaration import AnyPipeline
from ..application.authoring.parameters import convert, to_json
from ..application.authoring.registry import Registry
from ..application.failpoints import failpoint
from ..application.ports.payload import Assignment, Declared, Raised, Refused, Told
from ..application.work import ended_by, perform
from ..domain.errors import BadParameters, KubescribeError
from ..domain.exit_code import ExitCode
from ..domain.note import NoteKind
from .composition.worker import tools
from .file_order import FileOrder

PIPELINES = "KUBESCRIBE_PIPELINES"


class Introduction(msgspec.Struct, frozen=True):
    """The first line on standard input."""

    parameters: dict[str, Any] = {}
    from_text: bool = False
    pipelines: tuple[str, ...] = ()
    """The modules that declare them, by the supervisor's settings; none: those of the environment."""
    publish: FileOrder | None = None
    """For ``kubescribe publish``: what to publish, instead of a pipeline of the user's."""


class EventStream:
    """The events' file, which the supervisor reads; nothing is written where there is none."""

    def __init__(self, path: str | None) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC) if path else -1
        self._lock = threading.Lock()

    def say(self, word: event_stream.OfItself | Told) -> bool:
        """Write a whole line, if there is somebody to read it; lines of several threads never mix."""
        if self._fd < 0:
            return False
        left = memoryview(event_stream.encode(word))
        with self._lock:
            while left:
                left = left[os.write(self._fd, left) :]
        return True

    def tell(self, kind: NoteKind, data: dict[str, Any]) -> None:
        """A line of the pipeline's."""
        self.say(Told(kind=kind, data=data))


def main(arguments: list[str]) -> int:
    """Be the worker of the pipeline named; the exit code of DESIGN section 4."""
    if len(arguments) != 1:
        print("usage: python -m kubescribe.entrypoints.worker NAME, by a supervisor", file=sys.stderr)
        return ExitCode.USAGE
    signal.signal(signal.SIGTERM, _terminated)
    events = EventStream(os.environ.get(event_stream.VARIABLE))
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = _declare(arguments[0], events)
    except KubescribeError as error:
        if not events.say(Refused(message=str(error))):  # else the supervisor says it to people
            print(error, file=sys.stderr)
        return ExitCode.USAGE
    line = sys.stdin.buffer.readline()
    if found is None or not line.strip():
        return ExitCode.DONE
    assignment = msgspec.json.decode(line, type=Assignment)
    _empty_standard_input()
    failpoint("worker.assigned")
    return _work(*found, assignment, events)


def _declare(name: str, events: EventStream) -> tuple[AnyPipeline, dict[str, Any]] | None:
    line = sys.stdin.buffer.readline()
    if not line.strip():
        return None
    try:
        introduction = msgspec.json.decode(line, type=Introduction)
    except msgspec.MsgspecError as error:
        raise BadParameters(name, (f"the supervisor's first line cannot be read: {error}",)) from None
    function = _found(name, introduction)
    values = convert(function, introduction.parameters, from_text=introduction.from_text)
    events.say(Declared(pipeline=function.pipeline, parameters=to_json(values)))
    failpoint("worker.declared")
    return function, values


def _found(name: str, introduction: Introduction) -> AnyPipeline:
    if introduction.publish is not None:
        from .publish_file import file_pipeline

        return file_pipeline(name, introduction.publish)
    modules = [module.strip() for module in os.environ.get(PIPELINES, "").split(",") if module.strip()]
    return Registry.load(introduction.pipelines or modules).get(name)


def _work(function: AnyPipeline, values: dict[str, Any], assignment: Assignment, events: EventStream) -> int:
    pipeline = function.pipeline
    context = Context(
        assignment,
        tools(assignment, events.tell, snapshot=pipeline.snapshot),
        reports=pipeline.reports,
        parameters=values,
    )
    end = perform(function, values, context)
    if end.word is not None:  # before anything else may go wrong
        events.say(end.word)
    if end.error is not None:
        _print(end.error)
    return end.exit_code


def _print(error: BaseException) -> None:
    from ..application.authoring.traceback_text import traceback_text

    # The author may have closed or replaced it; and an error may hold what no console can show.
    with suppress(Exception):
        sys.stderr.buffer.write(traceback_text(error).encode("utf-8", errors="backslashreplace"))
        sys.stderr.flush()


def _empty_standard_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own, to its end


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM runs the pipeline's ``finally`` blocks; the supervisor waits for the grace period."""
    raise SystemExit(128 + number)


def _run() -> int:
    try:
        return main(sys.argv[1:])
    except SystemExit:
        raise
    except BaseException as error:  # before or after the work: a defect of ours, or an interrupt
        _print(error)
        end = ended_by(error)
        return end.exit_code if isinstance(end.word, Raised) else ExitCode.PAYLOAD


if __name__ == "__main__":
    sys.exit(_run())
