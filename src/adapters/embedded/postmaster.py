"""One PostgreSQL server process: make its data directory, start it, see whether it is ready, stop it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from .binaries import Binaries
from .privileges import Identity, become

StopMode = Literal["smart", "fast", "immediate"]
_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

USER = "kubescribe"


class Failed(Exception):  # noqa: N818 - says what happened
    """A PostgreSQL program ended with an error; the message is its own last relevant line."""


class Postmaster:
    """A server on 127.0.0.1 only, without a Unix socket; it ends (fast) when its starter's main thread does."""

    def __init__(
        self, binaries: Binaries, identity: Identity, data: Path, *, log: int, kept: tuple[int, ...] = ()
    ) -> None:
        """``log`` is a descriptor to write to; ``kept`` ones stay open in every process of the server."""
        self._binaries, self._identity, self._data = binaries, identity, data
        self._log, self._kept = log, kept
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, port: int, settings: Mapping[str, str]) -> None:
        """Start the process; returns at once."""
        fixed = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
        options = [f"--{name}={value}" for name, value in {**settings, **fixed}.items()]
        # The kernel ties a child to the *thread* that started it, and only the main one is sure to stay.
        main = threading.current_thread() is threading.main_thread()
        self._process = subprocess.Popen(
            [self._binaries.program("postgres"), "-D", self._data, *options],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            env=environment(),
            pass_fds=self._kept,
            start_new_session=True,  # a Ctrl-C in the terminal is not for the server
            preexec_fn=become(self._identity, dies_with=os.getpid() if main else None),
        )

    def ended(self) -> int | None:
        """The exit code, or nothing while it runs."""
        return self._process.poll() if self._process is not None else None

    def is_ready(self) -> bool:
        """Whether it accepts connections, by its own word.

        The pid is compared: the file may be left from an earlier server, and a connection could be answered
        by somebody else's.
        """
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def wait_ready(self, timeout: float) -> bool:
        """Wait until it is ready; false when it ended instead. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.ended() is not None:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL (process {self.pid}) was not ready after {timeout:.0f} s")
            time.sleep(0.005)
        return True

    def stop(self, mode: StopMode, timeout: float = 60.0) -> None:
        """Stop it and wait for its end; immediately (no checkpoint, recovery later) when the timeout passes."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(_SIGNALS[mode])
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.send_signal(_SIGNALS["immediate"])
                self._process.wait()


def initialise(
    binaries: Binaries,
    identity: Identity,
    data: Path,
    *,
    password: str | None = None,
    databases: Iterable[str] = (),
    durable: bool = True,
) -> None:
    """Make a data directory (``data`` must not exist): UTF8, code point order, superuser ``kubescribe``.

    With a password every connection needs it (scram-sha-256); without one, the machine's own are trusted.
    With ``durable`` everything is on the disk when this returns. Raises :class:`Failed`.
    """
    data.mkdir(mode=0o700)
    identity.give(data)
    # The wheel has no ICU; the C.UTF-8 that newer servers bring along knows the letters beyond ASCII.
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    flags = ["--username", USER, "--encoding=UTF8", "--auth=trust", "--no-sync", "--no-instructions", *locale]
    _run(binaries, identity, ["initdb", "-D", str(data), *flags])
    method = "trust" if password is None else "scram-sha-256"
    (data / "pg_hba.conf").write_text(
        f"host all all 127.0.0.1/32 {method}\nhost replication all 127.0.0.1/32 {method}\n"
    )
    statements = [f"CREATE DATABASE {name}" for name in databases]
    if password is not None:
        statements.append(password_statement(password))
    run_single(binaries, identity, data, statements, durable=False)
    if durable:
        _run(binaries, identity, ["initdb", "-D", str(data), "--sync-only"])


def password_statement(password: str) -> str:
    """The SQL that sets the superuser's password."""
    return f"ALTER ROLE {USER} PASSWORD '{password}'"


def run_single(
    binaries: Binaries, identity: Identity, data: Path, statements: list[str], *, durable: bool = True
) -> None:
    """Run statements without a server; they go through a pipe, so no list of processes shows them."""
    options = ["-c", "exit_on_error=true", "-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off"]
    if not durable:
        options += ["-c", "fsync=off"]
    command = ["postgres", "--single", "-D", str(data), *options, "postgres"]
    _run(binaries, identity, command, "".join(f"{line}\n" for line in statements))


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: no secret of ours, and no PG* variable of the user's."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def last_words(output: str) -> str:
    """The line of a PostgreSQL program's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR|error):", line)]
    return (telling or lines or ["it said nothing"])[-1]


def _run(binaries: Binaries, identity: Identity, command: list[str], standard_input: str = "") -> None:
    result = subprocess.run(
        [binaries.program(command[0]), *command[1:]],
        input=standard_input,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        env=environment(),
        preexec_fn=become(identity, dies_with=os.getpid()),
        check=False,
    )
    if result.returncode != 0:
        raise Failed(f"{command[0]}: {last_words(result.stdout)}")
