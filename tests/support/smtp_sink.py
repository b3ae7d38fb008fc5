"""A mail server on loopback that takes mail, or misbehaves as it is told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Received:
    """A mail as the server got it: the envelope beside what is in it."""

    def __init__(self, envelope: Envelope, over_tls: bool) -> None:
        self.sender, self.recipients, self.over_tls = envelope.mail_from, list(envelope.rcpt_tos), over_tls
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw = content

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def headers(self) -> list[str]:
        return [name.lower() for name in self.message]


class MailSink:
    """What came, and what is answered: ``refuse`` maps a step and an address to an answer."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.logins: list[bytes] = []
        self.plan: list[str | None] = []
        """The next answers to DATA; None: taken."""
        self.refused: dict[str, str] = {}
        """Recipients that are refused, and how."""
        self.port = 0

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.plan.pop(0) if self.plan else None
        if answer is not None:
            return answer
        assert server.transport is not None
        self.received.append(Received(envelope, server.transport.get_extra_info("ssl_object") is not None))
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        if isinstance(data, LoginPassword):
            self.logins.append(data.password)
        good = isinstance(data, LoginPassword) and data.password == b"open sesame"
        return AuthResult(success=good, handled=False)


@contextmanager
def mail_sink(
    certificate: tuple[Path, Path] | None = None, *, implicit: bool = False, login: bool = False
) -> Iterator[MailSink]:
    """A sink; with a certificate it offers STARTTLS, or speaks TLS at once."""
    sink = MailSink()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=port,
        ssl_context=context if implicit else None,
        tls_context=None if implicit else context,
        authenticator=sink.authenticate if login else None,
        auth_required=login and not implicit,
        auth_require_tls=not implicit,
        decode_data=False,
        ready_timeout=20.0,
    )
    sink.port = port
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


@contextmanager
def scripted_server(script: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that plays ``script`` with every connection, each in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def play(connection: socket.socket) -> None:
        try:
            script(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_ones.append(connection)
            threading.Thread(target=play, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_ones:
            connection.close()
        thread.join(5)


def until(connection: socket.socket, end: bytes = b"\r\n") -> bytes:
    """Everything up to ``end``, which may never come."""
    got = b""
    while not got.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            break
        got += piece
    return got
