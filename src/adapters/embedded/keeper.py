"""The keeper: a detached process that owns the server of one folder and stops it when nobody is attached.

:mod:`.starting` runs ``main(HOME, REPORT, START)`` in a new interpreter: REPORT is a descriptor that takes
one JSON report of the start, START one of ``start.lock``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

from ...domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable
from .data import SETTINGS, end_leftovers, ensure_data
from .folder import Folder
from .locks import FileLock
from .postmaster import Postmaster
from .privileges import Refused
from .programs import Failed, last_words

_LOOK = 0.1  # seconds between two looks at the locks and the server; also how long a stop may be late
_START_TIMEOUT = 600.0  # recovery after a crash may take long; whoever waits gives up earlier
_STOP_TIMEOUT = 30.0  # then without a checkpoint: a command that waits for the stop is to outlast it
_RESTARTS, _RESTARTS_WITHIN = 5, 60.0


class Keeper:
    """Owns the server from its start to its stop; everything happens in the main thread."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._alive = FileLock(folder.keeper_lock)
        self._attached = FileLock(folder.attached)
        self._postmaster: Postmaster | None = None
        self._log = -1

    def start(self, start_lock: int) -> None:
        """Become the folder's keeper and bring the server up. Raises embedded errors and OSError."""
        self._log = self.folder.open_log()
        for path in (self.folder.keeper_lock, self.folder.server_lock):
            self.folder.touch(path)
        if not self._alive.acquire(shared=False, deadline=time.monotonic() + 5):
            raise EmbeddedNotAnswering(self.folder.home, "another keeper holds it", "try again")
        os.close(start_lock)
        self._alive.write_text(f"{os.getpid()}\n")
        self._serve()

    def keep(self) -> None:
        """Return when nobody is attached any more, or the folder is gone. Restarts a server that died."""
        restarts: list[float] = []
        while self._alive.is_current() and not self._attached.acquire(shared=False):
            time.sleep(_LOOK)
            self.folder.trim_log()
            if self._postmaster is None or self._postmaster.ended() is None:
                continue
            now = time.monotonic()
            restarts = [*(at for at in restarts if at > now - _RESTARTS_WITHIN), now]
            if len(restarts) > _RESTARTS:
                say("the server died too often; giving up")
                return
            say(f"the server ended with {self._postmaster.ended()}; starting it again")
            self.folder.write_state(self.folder.last_port(), ready=False)
            self._serve()

    def stop(self) -> None:
        """Stop the server, then let commands know, in this order."""
        if self._postmaster is not None:
            if self._alive.is_current():
                self.folder.write_state(self.folder.last_port(), ready=False)
            self._postmaster.stop("fast", timeout=_STOP_TIMEOUT)
        # A command that gets "attached" must find no keeper, or it would wait for this one.
        self._alive.release()
        self._attached.release()

    def _serve(self) -> None:
        folder = self.folder
        server_lock = FileLock(folder.server_lock, for_children=True)
        end_leftovers(folder, server_lock)
        binaries, identity = ensure_data(folder)
        # Every process of the last server is gone, so this can only be stale; its pid may be anybody's by
        # now.
        (folder.data / "postmaster.pid").unlink(missing_ok=True)
        before = folder.log.stat().st_size
        kept = (server_lock.descriptor(),)
        self._postmaster = Postmaster(binaries, identity, folder.data, log=self._log, kept=kept)
        for port in (folder.last_port(), None, None, None):
            usable = free_port(port)
            self._postmaster.start(usable, SETTINGS)
            if self._postmaster.wait_ready(_START_TIMEOUT):
                server_lock.hand_over()
                folder.write_state(usable, ready=True)
                return
            with folder.log.open(errors="replace") as file:
                file.seek(before)
                words = file.read()
            if "could not bind" not in words[-4000:]:  # somebody else was quicker to take the port
                break
        server_lock.release()
        remedy = f"see {folder.log}"
        raise EmbeddedNotAnswering(folder.home, f"PostgreSQL did not start: {last_words(words)}", remedy)


def free_port(wanted: int | None) -> int:
    """The wanted port on loopback if nobody listens there, else any free one."""
    for port in (wanted, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def say(text: str) -> None:
    """Write a line to the log."""
    sys.stderr.write(f"keeper {os.getpid()}: {text}\n")
    sys.stderr.flush()


def main(home: str, report: str, start: str) -> None:
    """Run a keeper in a child process, which nobody has to wait for."""
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    keeper = Keeper(Folder(Path(home)))
    try:
        problem = _start(keeper, int(start))
        _tell(int(report), problem)
        if problem is None:
            keeper.keep()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        keeper.stop()


def _start(keeper: Keeper, start_lock: int) -> EmbeddedUnavailable | EmbeddedNotAnswering | None:
    """Start; a failure comes back as the sentence for the user."""
    folder = keeper.folder
    try:
        keeper.start(start_lock)
    except (EmbeddedUnavailable, EmbeddedNotAnswering) as error:
        return error
    except Refused as error:
        return EmbeddedUnavailable(folder.home, str(error), error.remedy)
    except Failed as error:
        say(error.output)
        return EmbeddedNotAnswering(folder.home, str(error), f"see {folder.log}")
    except TimeoutError as error:
        return EmbeddedNotAnswering(folder.home, str(error), f"see {folder.log}")
    except OSError as error:
        return folder.problem(error)
    except Exception as error:
        say(traceback.format_exc())
        return EmbeddedNotAnswering(folder.home, f"its keeper failed with {error!r}", f"see {folder.log}")
    return None


def _tell(descriptor: int, problem: EmbeddedUnavailable | EmbeddedNotAnswering | None) -> None:
    report = {"result": "ready"}
    if problem is not None:
        say(str(problem))
        result = "unavailable" if isinstance(problem, EmbeddedUnavailable) else "failed"
        report = {"result": result, "why": problem.why, "remedy": problem.remedy}
    # Whoever started us may be gone; the server is there for the next one all the same.
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, json.dumps(report).encode())
    os.close(descriptor)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
