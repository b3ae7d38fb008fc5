"""``kubescribe api`` as a process of its own, on loopback."""

from __future__ import annotations

import copy
import http.client
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from .command_line import MAIN, CommandLine
from .sse import Messages
from .waiting import wait_for


class ApiProcess:
    """``with ApiProcess(commands) as api: api.ask("GET", "/runs")``: by a token of an administrator."""

    def __init__(
        self, commands: CommandLine, *options: str, port: int = 0, token: str | None = None, **settings: str
    ) -> None:
        """``port``: 0 for any. ``token``: one that is on record already; None: it makes one."""
        self._commands = commands
        self._options = options
        self._settings = settings
        self._port = port
        self._token = token

    def __enter__(self) -> ApiProcess:
        self.output = Path(tempfile.mkstemp(prefix="api-")[1])
        with self.output.open("wb") as log:
            self.process = subprocess.Popen(
                [*MAIN, "api", "--port", str(self._port), *self._options],
                env=self._commands.environment | {"PYTHONUNBUFFERED": "1"} | self._settings,
                cwd=self._commands.folder,
                stdout=log,
                stderr=log,
            )
        self.port = int(self._line("KubeScribe answers at ").rsplit(":", 1)[1])
        wait_for(lambda: self.ask("GET", "/healthz", token="")[0] == 200, "the API to answer", timeout=60)
        self.token = self._token or self._made()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.output.unlink()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(10)

    def _made(self) -> str:
        made = self._commands("token", "create", "tests", "--role", "admin")
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def _line(self, beginning: str) -> str:
        def found() -> str | None:
            lines = self.output.read_text().splitlines()
            assert self.process.poll() is None, "\n".join(lines)
            return next((line for line in lines if line.startswith(beginning)), None)

        return wait_for(found, f"a line that begins {beginning!r}", timeout=60)

    def link(self) -> str:
        """The sign-in link that it has printed."""
        return self._line("sign in, once").split(": ", 1)[1]

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status (0: there was no whole answer), headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)  # it may take 30 itself
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        secret = getattr(self, "token", "") if token is None else token
        if secret:
            given["Authorization"] = f"Bearer {secret}"
        raw = None if body is None else msgspec.json.encode(body)
        if raw is not None:
            given["Content-Type"] = "application/json"
        try:
            connection.request(method, path, raw, given)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, {}, b""
        finally:
            connection.close()

    def behind(self, port: int) -> ApiProcess:
        """The same process, asked through a proxy that listens there."""
        other = copy.copy(self)
        other.port = port
        return other

    @contextmanager
    def stream(self, path: str, *, token: str | None = None, **headers: str) -> Iterator[Messages]:
        """Follow."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"Authorization": f"Bearer {token or self.token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("GET", path, headers=given)
            answer = connection.getresponse()
            assert answer.status == 200, (answer.status, answer.read())
            due, kind = "text/event-stream; charset=utf-8", answer.getheader("content-type", "")
            if kind != due and due.startswith(kind):
                raise ConnectionResetError("it was cut off amid the headers")
            assert kind == due
            yield Messages(answer.readline)
        finally:
            connection.close()

    def memory(self) -> int:
        """Bytes that the process holds (its resident set)."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")
