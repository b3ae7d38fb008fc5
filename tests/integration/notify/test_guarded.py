"""Webhooks to real servers: who is connected to is who was checked, whatever the name leads to later (FAULTS S-23)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network

import pytest

from kubescribe.adapters.http.guarded import GuardedHttpClient
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.domain.errors import PostFailed
from kubescribe.domain.reachable import Reachable
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.certificates import KINDS, Certificates
from tests.support.smtp_sink import scripted_server, until

pytestmark = pytest.mark.integration

ALLOWED, FORBIDDEN = "127.0.0.1", "127.0.0.2"
REACHABLE = Reachable(networks=(ip_network(f"{ALLOWED}/32"),))


class Server:
    """A TLS server on an address, and who came to it."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def tls_server(address: str, port: int, certificates: Certificates, kind: str = "good") -> Iterator[tuple[Server, int]]:
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.make(kind))
    context.sni_callback = lambda _, name, __: server.names.append(name)
    listener = socket.create_server((address, port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            connection.settimeout(10)
            try:
                with context.wrap_socket(connection, server_side=True) as safe:
                    server.requests.append(until(safe, b"}"))
                    safe.sendall(server.answer)
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server, listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


class Names:
    """A resolver that answers each time as it is told; asked more often, it says the last again."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def post(
    certificates: Certificates, names: Names, port: int, *, host: str = "localhost", timeout: float = 10.0
) -> HttpAnswer:
    client = GuardedHttpClient(REACHABLE, ca_file=str(certificates.ca_file), resolve=names, timeout=timeout)
    url = WebhookUrl.parse(f"https://{host}:{port}/hooks/sesame?a=b", "X")
    return asyncio.run(client.post(url, b'{"a": 1}', {"webhook-id": "7"}))


def test_the_name_is_kept_where_the_address_is_connected_to(certificates: Certificates) -> None:
    names = Names((ALLOWED,))
    with tls_server(ALLOWED, 0, certificates) as (server, port):
        assert post(certificates, names, port) == HttpAnswer(status=200, text="ok")
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "POST /hooks/sesame?a=b HTTP/1.1"
    assert f"Host: localhost:{port}" in head and "webhook-id: 7" in head and head[-1] == '{"a": 1}'
    assert server.names == ["localhost"] and names.asked == ["localhost"]


def test_who_answers_otherwise_later_is_not_asked_again(certificates: Certificates) -> None:
    """DNS rebinding: the first answer is checked, and the second would lead to us."""
    with ExitStack() as stack:
        server, port = stack.enter_context(tls_server(ALLOWED, 0, certificates))
        forbidden, _ = stack.enter_context(tls_server(FORBIDDEN, port, certificates))
        names = Names((ALLOWED,), (FORBIDDEN,))
        assert post(certificates, names, port).status == 200
        assert names.asked == ["localhost"]
        with pytest.raises(PostFailed, match=r"leads to 127\.0\.0\.2"):
            post(certificates, names, port)
        for mixed in (
            (ALLOWED, FORBIDDEN),
            (FORBIDDEN, ALLOWED),
            (ALLOWED, "::ffff:127.0.0.1"),
            (ALLOWED, "fe80::1%lo"),
        ):
            with pytest.raises(PostFailed):
                post(certificates, Names(mixed), port)
        assert (server.connections, forbidden.connections) == (1, 0)


def test_forbidden_addresses_see_no_connection(certificates: Certificates) -> None:
    with tls_server(FORBIDDEN, 0, certificates) as (forbidden, port):
        for _ in range(20):
            with pytest.raises(PostFailed) as caught:
                post(certificates, Names((FORBIDDEN,)), port)
            assert "sesame" not in str(caught.value) and "KUBESCRIBE_WEBHOOK_NETWORKS" in str(caught.value)
        with pytest.raises(PostFailed):
            post(certificates, Names((ALLOWED,)), port, host=FORBIDDEN)
    assert forbidden.connections == 0


def test_a_redirect_is_an_answer(certificates: Certificates) -> None:
    with ExitStack() as stack:
        server, port = stack.enter_context(tls_server(ALLOWED, 0, certificates))
        forbidden, other = stack.enter_context(tls_server(FORBIDDEN, 0, certificates))
        server.answer = (
            f"HTTP/1.1 307 x\r\nLocation: https://{FORBIDDEN}:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert post(certificates, Names((ALLOWED,)), port).status == 307
    assert forbidden.connections == 0


def test_proxies_are_passed_by(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        _, port = stack.enter_context(tls_server(ALLOWED, 0, certificates))
        proxy, other = stack.enter_context(tls_server(FORBIDDEN, 0, certificates))
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{FORBIDDEN}:{other}")
        assert post(certificates, Names((ALLOWED,)), port).status == 200
    assert proxy.connections == 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "good"])
def test_certificates_are_checked(certificates: Certificates, kind: str) -> None:
    with tls_server(ALLOWED, 0, certificates, kind) as (server, port), pytest.raises(PostFailed) as caught:
        post(certificates, Names((ALLOWED,)), port)
    assert "sesame" not in str(caught.value) and server.requests in ([], [b""])


def test_the_second_address_serves_where_the_first_is_closed(certificates: Certificates) -> None:
    reachable = Reachable(networks=(ip_network("127.0.0.0/8"),))
    with tls_server(ALLOWED, 0, certificates) as (_, port):
        client = GuardedHttpClient(reachable, ca_file=str(certificates.ca_file), resolve=Names((FORBIDDEN, ALLOWED)))
        url = WebhookUrl.parse(f"https://localhost:{port}/", "X")
        assert asyncio.run(client.post(url, b"{}")).status == 200


def hangs(connection: socket.socket) -> None:
    until(connection, b"never")


def closes(connection: socket.socket) -> None:
    connection.close()


def drips(connection: socket.socket) -> None:
    while not threading.Event().wait(0.02):
        connection.sendall(b"\x16")


def rubbish(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n" * 100)


@pytest.mark.parametrize("script", [hangs, closes, drips, rubbish])
def test_whatever_the_server_does_it_ends(certificates: Certificates, script: Callable[[socket.socket], None]) -> None:
    with scripted_server(script) as port, pytest.raises(PostFailed) as caught:
        post(certificates, Names((ALLOWED,)), port, timeout=0.5)
    assert "sesame" not in str(caught.value)


def test_a_name_without_an_address_is_told(certificates: Certificates) -> None:
    def nobody(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, "Name or service not known")

    client = GuardedHttpClient(REACHABLE, resolve=nobody)
    with pytest.raises(PostFailed, match="not known"):
        asyncio.run(client.post(WebhookUrl.parse("https://nowhere.example.org/x", "X"), b"{}"))
