"""Attaching to the embedded server: what a command does. Light: the slow parts are imported when needed."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from types import TracebackType

from ...domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable
from .folder import Folder
from .locks import SUPPORTED, FileLock, is_locked

HOST = "127.0.0.1"
USER = "kubescribe"
_STARTS = 3  # keepers that one command starts, if each is killed before it is ready
_TOO_EARLY = b"57P03"  # SQLSTATE cannot_connect_now: starting up, recovering or shutting down


class EmbeddedServer:
    """A hold on the running server; the server stays up at least until ``close`` or the end of this process.

    Its children do not share the hold: give them URLs, and keep the hold while they work.
    """

    host = HOST
    user = USER

    def __init__(self, home: Path, port: int, password: str, held: FileLock) -> None:
        self.home, self.port, self.password = home, port, password
        self._held = held

    def url(self, database: str) -> str:
        """The URL of ``runlog``, ``production`` or ``report``, with the password in it."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def close(self) -> None:
        """Let go; the server stops a moment after its last holder did. May be called twice."""
        self._held.release()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddedServer(home={str(self.home)!r}, port={self.port}, user={self.user!r}, password='***')"


class EmbeddedPostgres:
    """The PostgreSQL of one data folder, started by whoever needs it first.

    Objects and threads may share a home.
    """

    def __init__(self, home: Path, *, timeout: float = 60.0) -> None:
        """``timeout`` bounds, in seconds, everything that ``attach`` waits for."""
        self._folder = Folder(home)
        self._timeout = timeout

    def attach(self) -> EmbeddedServer:
        """Hold the server, starting it where it is not up; it accepts connections when this returns.

        Raises EmbeddedUnavailable (trying again is useless) or EmbeddedNotAnswering (it may not be).
        """
        folder = self._folder
        if not SUPPORTED:
            raise EmbeddedUnavailable(
                folder.home, "it needs Linux or macOS", "set RUNLOG_DB_URL, PROD_DB_URL and REPORT_DB_URL"
            )
        folder.prepare()
        deadline = time.monotonic() + self._timeout
        held = FileLock(folder.attached)
        try:
            folder.touch(folder.attached)
            # The keeper holds this exclusively while it stops the server; then we wait, and start anew.
            if not held.acquire(shared=True, deadline=deadline):
                raise self._busy()
            port = self._port(deadline) or self._bring_up(deadline)
            password = folder.password()
            if password is None:
                raise EmbeddedNotAnswering(folder.home, "its password file is gone", "try again when it has stopped")
        except OSError as error:
            held.release()
            raise folder.problem(error) from error
        except BaseException:
            held.release()
            raise
        return EmbeddedServer(folder.home, port, password, held)

    def _port(self, deadline: float) -> int | None:
        """The port of a server that is up and answers.

        The lock is looked at before the state: whoever starts a keeper resets the state first, so a living
        keeper with the state "ready" means its own server.
        """
        if not is_locked(self._folder.keeper_lock):
            return None
        port = self._folder.ready_port()
        return port if port is not None and answers(port, deadline) else None

    def _bring_up(self, deadline: float) -> int:
        """Start a keeper, or wait for the one that is being started or is restarting its server."""
        folder = self._folder
        folder.touch(folder.start_lock)
        starting = FileLock(folder.start_lock)
        if not starting.acquire(shared=False, deadline=deadline):
            raise self._busy()
        try:
            started = 0
            while (port := self._port(deadline)) is None:
                if time.monotonic() > deadline:
                    raise self._busy()
                if is_locked(folder.keeper_lock):
                    time.sleep(0.005)
                else:
                    from .starting import start_keeper

                    folder.write_state(folder.last_port(), ready=False)
                    if started == _STARTS:
                        raise EmbeddedNotAnswering(
                            folder.home, f"its keeper ended {started} times", f"see {folder.log}"
                        )
                    start_keeper(folder, starting.descriptor(), deadline)
                    started += 1
            return port
        finally:
            starting.release()

    def _busy(self) -> EmbeddedNotAnswering:
        try:
            pid = self._folder.keeper_lock.read_text().strip()
        except OSError:
            pid = ""
        who = f"its keeper (process {pid})" if pid else "another command that is starting it"
        remedy = f"see {self._folder.log}" + (f", or end process {pid} and try again" if pid else "")
        return EmbeddedNotAnswering(
            self._folder.home, f"waited {self._timeout:g} s for {who}, which holds the folder", remedy
        )


def answers(port: int, deadline: float) -> bool:
    """Whether a PostgreSQL on this port would let somebody log in now: the first step of its protocol, no more."""
    import socket  # a third of this module's cost, for nothing where the databases are configured

    parameters = f"user\0{USER}\0database\0postgres\0\0".encode()
    try:
        with socket.create_connection((HOST, port), timeout=max(0.1, deadline - time.monotonic())) as connection:
            connection.sendall(struct.pack("!ii", len(parameters) + 8, 3 << 16) + parameters)
            answer = connection.recv(1024)
    except OSError:
        return False
    return answer[:1] == b"R" or (answer[:1] == b"E" and _TOO_EARLY not in answer)
