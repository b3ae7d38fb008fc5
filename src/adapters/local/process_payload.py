"""A payload in a process of its own: a pipeline's worker, or any command."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from ...application import event_stream
from ...application.ports.payload import Assignment, Ended, Printed, Usage, Word
from ...domain.trace import traceparent
from . import cgroup, machine, process_tree
from .event_fifo import EventFifo
from .starting import die_with_parent, not_started

_READ = 65_536
_QUEUE = 64
"""Words that may wait; while more do, the payload's output is not read, and the payload waits in turn."""
_LINGER = 2.0
"""Seconds that an output pipe may stay open after everything that belongs to the attempt is gone."""


class ProcessPayload:
    """The :class:`~kubescribe.application.ports.payload.Payload` of local processes.

    The process leads a session of its own, gets SIGKILL when its supervisor dies (where the system can), and
    everything that it started ends with it. To be started from the main thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        introduction: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        traced: bool = False,
        folder: Path | None = None,
    ) -> None:
        """``introduction``: the first line on a worker's standard input; None: a command, which inherits ours.

        ``folder``: where :class:`LocalLauncher` finds what we leave when we are killed; None, or not to be written: the
        system's temporary files.
        """
        self._attempts = folder
        self._command = list(command)
        self._introduction = introduction
        self._traced = traced
        self._environment = dict(os.environ if environment is None else environment)
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._readers: dict[int, Callable[[], object]] = {}
        self._paused = False
        self._process: subprocess.Popen[bytes] | None = None
        self._attempt_id: UUID | None = None
        self._events: EventFifo | None = None
        self._exit: tuple[int, resource.struct_rusage] | None = None
        self._peak = 0
        self._forked_at = 0
        self._ooms = 0
        self._mine: set[int] = set()
        self._ended = False

    async def start(self, *, run_id: UUID, attempt_id: UUID) -> None:
        """Begin; raises :class:`CommandNotFound`."""
        self._loop = asyncio.get_running_loop()
        self._attempt_id = attempt_id
        self._events = EventFifo(self._attempts, attempt_id, of_itself=self._introduction is not None)
        self._ooms = cgroup.oom_kills()
        process_tree.adopt_orphans(True)
        self._mine = machine.children(os.getpid())
        environment = {
            **self._environment,
            "KUBESCRIBE_RUN_ID": str(run_id),
            process_tree.ATTEMPT_VARIABLE: str(attempt_id),
            event_stream.VARIABLE: str(self._events.path),
            "PYTHONUNBUFFERED": "1",
        }
        if self._traced:
            environment["TRACEPARENT"] = traceparent(run_id, attempt_id)
        self._forked_at = _resident(resource.getrusage(resource.RUSAGE_SELF))
        try:
            process = subprocess.Popen(
                self._command,
                stdin=None if self._introduction is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )
        except (OSError, ValueError) as error:
            self._clear()
            raise not_started(self._command[0], error) from error
        self._process = process
        if process.stdin is not None and self._introduction is not None:
            self._send(self._introduction)
        for name, pipe in (("out", process.stdout), ("err", process.stderr)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            self._listen(pipe.fileno(), functools.partial(self._read_output, pipe.fileno(), name))
        self._listen(self._events.fd, self._read_events)
        threading.Thread(target=self._wait, args=(process.pid,), name="kubescribe-wait", daemon=True).start()

    async def words(self) -> AsyncIterator[Word]:
        """Everything that it says, until :class:`Ended`."""
        while True:
            word = await self._words.get()
            if self._paused and self._words.qsize() < _QUEUE // 4:
                self._paused = False
                for fd, read in self._readers.items():
                    self._loop.add_reader(fd, read)
            yield word
            if isinstance(word, Ended):
                return

    async def assign(self, assignment: Assignment) -> None:
        """Let a declared worker begin."""
        if self._introduction is not None:
            self._send(msgspec.json.encode(assignment), last=True)

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return self._exit is not None

    def usage(self) -> Usage:
        """A look at the session's processes."""
        if self._process is None or self._exit is not None:
            return Usage()
        try:
            now = process_tree.usage(self._process.pid)
        except (OSError, ValueError):  # a beat without numbers is a beat
            return Usage()
        self._peak = max(self._peak, now.memory or 0)
        return now

    def terminate(self) -> None:
        """SIGTERM to the process group."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the process group; what has left the group ends in :meth:`_exited`."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._exit is not None:
            return
        try:
            os.killpg(self._process.pid, number)
            if number is signal.SIGTERM:
                # A stopped process would not hear it.
                os.killpg(self._process.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def _send(self, line: bytes, *, last: bool = False) -> None:
        assert self._process is not None and self._process.stdin is not None
        if self._process.stdin.closed:
            return  # we have seen its end already
        with contextlib.suppress(BrokenPipeError):  # it is gone, and its end will say why
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
            if last:
                self._process.stdin.close()

    # -- listening -----------------------------------------------------------------------------------------------

    def _listen(self, fd: int, read: Callable[[], object]) -> None:
        self._readers[fd] = read
        self._loop.add_reader(fd, read)

    def _put(self, word: Word) -> None:
        self._words.put_nowait(word)
        if not self._paused and self._words.qsize() >= _QUEUE and self._exit is None:
            self._paused = True
            for fd in self._readers:
                self._loop.remove_reader(fd)

    def _read_output(self, fd: int, name: str) -> None:
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._put(Printed(stream=name, data=data))
        else:
            self._loop.remove_reader(fd)
            self._readers.pop(fd, None)
            self._end_when_silent()

    def _read_events(self) -> bool:
        assert self._events is not None
        words = self._events.read()
        for word in words or ():
            self._put(word)
        return words is not None

    # -- the end -------------------------------------------------------------------------------------------------

    def _wait(self, pid: int) -> None:
        """In a thread of its own: ``wait4`` tells what the process used, and no portable call can be awaited."""
        _, status, used = os.wait4(pid, 0)
        self._loop.call_soon_threadsafe(self._exited, os.waitstatus_to_exitcode(status), used)

    def _exited(self, code: int, used: resource.struct_rusage) -> None:
        assert self._process is not None and self._attempt_id is not None
        self._exit = (code, used)
        self._process.returncode = code
        # Whoever waits for the end gets it, also on a machine that does not let us look for what is left.
        with contextlib.suppress(OSError, ValueError):
            process_tree.end(self._attempt_id, self._process.pid, mine=self._mine)
        for fd, read in list(self._readers.items()):
            self._loop.add_reader(fd, read)
        self._loop.call_later(_LINGER, self._end)
        self._end_when_silent()

    def _end_when_silent(self) -> None:
        if self._exit is not None and self._events is not None and set(self._readers) <= {self._events.fd}:
            self._end()

    def _end(self) -> None:
        if self._ended or self._exit is None or self._events is None:
            return
        self._ended = True
        while self._read_events():
            pass
        rest = self._events.rest()
        if rest is not None:
            self._put(rest)
        code, used = self._exit
        peak = _resident(used)
        if peak <= self._forked_at:
            peak = 0  # the child was a copy of us before it became the command: this is our size, not its
        self._clear()
        self._words.put_nowait(
            Ended(
                exit_code=code,
                memory_peak=max(self._peak, peak) or None,
                cpu_seconds=used.ru_utime + used.ru_stime,
                memory_limit=cgroup.memory_limit(),
                oom_killed=code == -signal.SIGKILL and cgroup.oom_kills() > self._ooms,
            )
        )

    def _clear(self) -> None:
        process_tree.adopt_orphans(False)
        for fd in list(self._readers):
            self._loop.remove_reader(fd)
        self._readers.clear()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue
        if self._events is not None:
            self._events.close()


def _resident(used: resource.struct_rusage) -> int:
    """The largest resident set, in bytes: the system counts kilobytes on Linux, bytes on macOS."""
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
