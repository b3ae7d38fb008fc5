"""A web server on loopback that takes posts and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HttpSink:
    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        """The next answers; afterwards all is well."""
        self.port = 0
        self.turn = threading.Lock()

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self.turn:
            planned = self.answers.pop(0) if self.answers else (200, {}, b"ok")
            if planned[0] == 200:
                self.posts.append((path, body))
            return planned


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, text = sink.answer(self.path, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
