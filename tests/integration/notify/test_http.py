"""Posts to a real server: redirects are not followed, certificates are checked, addresses stay secret."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kubescribe.adapters.http.client import StandardHttpClient
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.domain.errors import PostFailed
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.certificates import KINDS, Certificates
from tests.support.http_sink import http_sink
from tests.support.smtp_sink import scripted_server, until

pytestmark = pytest.mark.integration


def post(port: int, *, timeout: float = 10.0, scheme: str = "http", ca_file: str | None = None) -> HttpAnswer:
    url = WebhookUrl.parse(f"{scheme}://localhost:{port}/services/sesame", "SLACK_WEBHOOK_URL")
    return asyncio.run(StandardHttpClient(timeout=timeout, ca_file=ca_file).post(url, b'{"a": 1}'))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_post_arrives() -> None:
    with http_sink() as sink:
        assert post(sink.port) == HttpAnswer(status=200, text="ok")
    assert sink.posts == [("/services/sesame", b'{"a": 1}')]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with http_sink() as other, http_sink() as sink:
        sink.answers = [(status, {"Location": f"http://127.0.0.1:{other.port}/x"}, b"")]
        assert post(sink.port).status == status
    assert other.posts == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("1e9", 3600.0), ("nan", None), ("soon", None), ("", None)],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    with http_sink() as sink:
        sink.answers = [(429, {"Retry-After": text}, b"slow down" * 1000)]
        answer = post(sink.port)
    assert (answer.status, answer.retry_after) == (429, seconds) and len(answer.text) == 500


def test_retry_after_may_be_a_date() -> None:
    with http_sink() as sink:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
        sink.answers = [(503, {"Retry-After": later}, b"")]
        assert 80 < (post(sink.port).retry_after or 0) <= 100


@pytest.mark.parametrize("name", ["hangs", "closes", "rubbish", "drips"])
def test_whatever_the_server_does_it_ends(name: str) -> None:
    import threading

    def play(connection: socket.socket) -> None:
        if name == "rubbish":
            connection.sendall(b"220 hello\r\n\r\n")
        while name == "hangs" and until(connection, b"never"):
            pass
        while name == "drips" and not threading.Event().wait(0.02):
            connection.sendall(b"H")

    with scripted_server(play) as port, pytest.raises(PostFailed) as caught:
        post(port, timeout=0.5)
    assert "sesame" not in str(caught.value) and "localhost" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_certificates_are_checked(certificates: Certificates, kind: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.make(kind))
    got: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        try:
            safe = context.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            return
        with safe:
            got.append(until(safe, b"}"))
            safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with scripted_server(serve) as port:
        if kind == "good":
            assert post(port, scheme="https", ca_file=str(certificates.ca_file)).status == 200
            return
        with pytest.raises(PostFailed) as caught:
            post(port, scheme="https", ca_file=str(certificates.ca_file))
    assert "sesame" not in str(caught.value) and got in ([], [b""])


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(PostFailed, match="refused"):
        post(port)
