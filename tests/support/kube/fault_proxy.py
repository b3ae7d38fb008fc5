"""A proxy before the API server that loses requests, loses answers, and says no: whatever a network and a server do."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import httpx
import msgspec

from .api import tls
from .authority import Identity

Fault = str
"""``lost`` before it arrives, ``unanswered`` after it did, or a status like ``503``."""
FAULTS = ("lost", "unanswered", "429", "500", "503")


class FaultProxy:
    """``with FaultProxy(plane.url, authority, identity) as proxy``: plain HTTP on loopback, as an administrator."""

    def __init__(self, url: str, authority: Path, identity: Identity) -> None:
        self._client = httpx.Client(
            base_url=url, verify=tls(authority, identity), timeout=30, trust_env=False, limits=httpx.Limits()
        )
        self.faults: Callable[[str, str], Fault | None] = lambda method, path: None
        """Asked at each request, by method and path: what happens to it; None: nothing."""
        self.seen: Counter[str] = Counter()
        self._turn = threading.Lock()
        self._held: list[threading.Thread] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                proxy._handle(self)

            do_GET = do_POST = do_DELETE = do_PATCH = _any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        for thread in self._held:
            thread.join(30)
        self._client.close()

    def kubeconfig(self, folder: Path) -> Path:
        """One that leads here."""
        file = folder / "faulty.kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": self.url}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        file.write_bytes(msgspec.json.encode(content))
        return file

    def at_random(self, rate: float, seed: int) -> None:
        """Let so many of the requests meet a fault."""
        dice = random.Random(seed)

        def fault(method: str, path: str) -> Fault | None:
            with self._turn:
                return dice.choice(FAULTS) if dice.random() < rate else None

        self.faults = fault

    def later(self, send: Callable[[], object], seconds: float) -> None:
        """Send it when nobody waits for it any more."""
        thread = threading.Timer(seconds, send)
        self._held.append(thread)
        thread.start()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = self.faults(handler.command, handler.path)
        with self._turn:
            self.seen[fault or "none"] += 1
            self.seen[handler.command] += 1

        def send() -> httpx.Response:
            headers = {name: handler.headers[name] for name in ("Content-Type", "Accept") if handler.headers[name]}
            return self._client.request(handler.command, handler.path, content=body, headers=headers)

        if fault is not None and fault.startswith("late:"):
            self.later(send, float(fault.removeprefix("late:")))
            self._cut(handler)
        elif fault == "lost":
            self._cut(handler)
        elif fault is not None and fault.isdigit():
            self._answer(handler, int(fault), msgspec.json.encode({"kind": "Status", "message": f"a fault: {fault}"}))
        else:
            try:
                answer = send()
            except httpx.TransportError:  # the API server itself is away
                self._cut(handler)
                return
            if fault == "unanswered":
                self._cut(handler)
            else:
                self._answer(handler, answer.status_code, answer.content)

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        if status == 429:
            handler.send_header("Retry-After", "0")
        handler.end_headers()
        handler.wfile.write(body)

    def _cut(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
