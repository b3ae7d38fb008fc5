"""S-10: what only a real connection can do: a gigabyte, half a request, five hundred who say nothing."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from kubescribe.entrypoints.http.connection import HEAD_LIMIT
from tests.support.api_process import ApiProcess

pytestmark = pytest.mark.integration

MEGABYTE = b"x" * 1_048_576


def connected(api: ApiProcess, stack: ExitStack) -> socket.socket:
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=30))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes; empty where it closed without a word."""
    got = b""
    try:
        while piece := connection.recv(65_536):
            got += piece
    except ConnectionResetError:
        pass
    return got


def head(api: ApiProcess, *lines: str) -> bytes:
    common = ("POST /runs/trigger HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {api.token}")
    return "\r\n".join((*common, "Content-Type: application/json", *lines, "", "")).encode()


@pytest.mark.parametrize("framing", ["Content-Length: 1073741824", "Transfer-Encoding: chunked"])
def test_a_gigabyte_is_refused_and_not_kept(framing: str, api: ApiProcess) -> None:
    before = api.memory()
    with ExitStack() as stack:
        connection = connected(api, stack)
        connection.sendall(head(api, framing))
        piece = b"100000\r\n" + MEGABYTE + b"\r\n" if "chunked" in framing else MEGABYTE
        sent = 0
        try:
            for _ in range(1024):
                connection.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 64 * len(MEGABYTE), "nobody has stopped it"
    assert api.memory() - before < 16 * 1_048_576
    assert api.ask("GET", "/healthz")[0] == 200


def test_a_body_that_is_announced_too_long_is_refused_unread(api: ApiProcess) -> None:
    with ExitStack() as stack:
        connection = connected(api, stack)
        connection.sendall(head(api, "Content-Length: 1073741824"))
        told = answer(connection)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in told.lower()


def test_a_head_without_an_end_is_refused(api: ApiProcess) -> None:
    with ExitStack() as stack:
        connection = connected(api, stack)
        connection.sendall(b"GET /runs HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        try:
            for number in range(2 * HEAD_LIMIT // 1000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        told = answer(connection)
    assert told == b"" or told.startswith(b"HTTP/1.1 431 ")
    assert b"Server:" not in told


def test_what_is_no_http_is_a_problem_like_any_other(api: ApiProcess) -> None:
    for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"):
        with ExitStack() as stack:
            connection = connected(api, stack)
            connection.sendall(rubbish)
            told = answer(connection)
        assert told.startswith(b"HTTP/1.1 400 "), rubbish
        assert b"application/problem+json" in told
        assert b"content-security-policy" in told


def test_five_hundred_who_say_nothing_keep_nobody_out(api: ApiProcess) -> None:
    with ExitStack() as stack:
        slow = [connected(api, stack) for _ in range(500)]
        for number, connection in enumerate(slow):
            connection.sendall(b"GET /runs HTTP/1.1\r\nX-Half: "[: 5 + number % 20])
        for _ in range(20):
            assert api.ask("GET", "/runs")[0] == 200


def test_they_are_let_go_after_a_while(api: ApiProcess) -> None:
    with ExitStack() as stack:
        slow, silent = connected(api, stack), connected(api, stack)
        slow.sendall(b"GET /runs HT")
        assert answer(slow).startswith(b"HTTP/1.1 408 ")
        assert answer(silent).startswith(b"HTTP/1.1 408 ")


def test_a_connection_is_kept_for_further_requests(api: ApiProcess) -> None:
    request = f"GET /session HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode()
    with ExitStack() as stack:
        connection = connected(api, stack)
        for _ in range(100):
            connection.sendall(request)
            got = b""
            while b"}" not in got:
                got += connection.recv(65_536)
            assert got.startswith(b"HTTP/1.1 200 ")
