"""One PostgreSQL server process: start it, see whether it is ready, stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from .binaries import Binaries
from .privileges import Identity, become
from .programs import environment

StopMode = Literal["smart", "fast", "immediate"]
_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postmaster:
    """A server on 127.0.0.1 only, without a Unix socket, that ends (fast) with its starter's main thread."""

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
        """Stop it and wait for its end; without a checkpoint (recovery later) when the timeout passes."""
        if self._process is None:
            return
        for number, patience in ((_SIGNALS[mode], timeout), (_SIGNALS["immediate"], 10.0), (signal.SIGKILL, None)):
            if self._process.poll() is not None:
                return
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
