"""Mail to a real server: what is true before anything is said, and servers that misbehave (FAULTS N2, N3, S-25)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from kubescribe.adapters.smtp.channel import SmtpChannel
from kubescribe.domain.errors import NotDelivered
from kubescribe.domain.smtp_url import SmtpUrl
from tests.support.announcements import an_announcement
from tests.support.certificates import KINDS, Certificates
from tests.support.smtp_sink import mail_sink, scripted_server, until

pytestmark = pytest.mark.integration

ANN = "ann@example.org"


def channel(url: str, *, deadline: float = 30.0) -> SmtpChannel:
    return SmtpChannel(
        SmtpUrl.parse(url), sender="ks@example.org", addresses=(ANN, "bob@example.org"), deadline=deadline
    )


def send(url: str, *, to: str = ANN, deadline: float = 30.0) -> None:
    asyncio.run(channel(url, deadline=deadline).send(an_announcement(), to, "7.8"))


def refusal(url: str, *, deadline: float = 30.0) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        send(url, deadline=deadline)
    assert "sesame" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("implicit", [False, True])
def test_mail_goes_over_tls_with_a_login(certificates: Certificates, implicit: bool) -> None:
    with mail_sink(certificates.make("good"), implicit=implicit, login=True) as sink:
        scheme = "smtps" if implicit else "smtp"
        send(f"{scheme}://ks:open%20sesame@localhost:{sink.port}?cafile={certificates.ca_file}")
    (got,) = sink.received
    assert got.over_tls and (got.sender, got.recipients) == ("ks@example.org", [ANN])
    assert got.message["Message-ID"] == "<7.8@example.org>" and got.message["To"] == ANN
    assert sink.logins == [b"open sesame"]
    sent = parsedate_to_datetime(got.message["Date"])
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 60, "a mail needs a date (RFC 5322), that of its sending"


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "good"])
def test_a_certificate_that_is_not_to_be_trusted_is_told_nothing(
    certificates: Certificates, kind: str, implicit: bool
) -> None:
    with mail_sink(certificates.make(kind), implicit=implicit, login=True) as sink:
        scheme = "smtps" if implicit else "smtp"
        error = refusal(f"{scheme}://ks:open%20sesame@localhost:{sink.port}?cafile={certificates.ca_file}")
    assert "certificate" in error.why and not error.permanent and error.channel_down
    assert sink.received == [] and sink.logins == []


def test_the_systems_authorities_are_asked_without_a_cafile(certificates: Certificates) -> None:
    with mail_sink(certificates.make("good"), login=True) as sink:
        assert "certificate" in refusal(f"smtp://ks:open%20sesame@localhost:{sink.port}").why
    assert sink.received == [] and sink.logins == []


def test_a_server_without_starttls_is_told_nothing() -> None:
    """STARTTLS stripped on the way looks the same."""
    said: list[bytes] = []

    def stripped(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        while line := until(connection):
            said.append(line)
            connection.sendall(b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n" if line.startswith(b"ehlo") else b"500 no\r\n")

    with scripted_server(stripped) as port:
        error = refusal(f"smtp://ks:open%20sesame@127.0.0.1:{port}")
    assert "STARTTLS" in error.why and not error.permanent
    assert [line.split()[0].lower() for line in said] == [b"ehlo"]


def test_what_is_said_in_the_clear_is_forgotten_with_tls(certificates: Certificates) -> None:
    """An answer that was put in before the handshake is no answer of the server."""
    certificate, key = certificates.make("good")

    def injected(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        until(connection)
        connection.sendall(b"250-hello\r\n250 STARTTLS\r\n")
        until(connection)
        connection.sendall(b"220 go\r\n250-evil\r\n250 AUTH LOGIN\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with context.wrap_socket(connection, server_side=True) as safe:
            until(safe)

    with scripted_server(injected) as port:
        assert not refusal(
            f"smtp://ks:open%20sesame@localhost:{port}?cafile={certificates.ca_file}&timeout=5"
        ).permanent


def test_in_the_clear_only_where_it_is_said_so() -> None:
    with mail_sink() as sink:
        assert "STARTTLS" in refusal(f"smtp://127.0.0.1:{sink.port}").why
        assert sink.received == []
        send(f"smtp://127.0.0.1:{sink.port}?insecure=true")
    assert len(sink.received) == 1 and not sink.received[0].over_tls


def test_a_wrong_password_is_the_channels_trouble(certificates: Certificates) -> None:
    with mail_sink(certificates.make("good"), login=True) as sink:
        error = refusal(f"smtp://ks:closed%20sesame@localhost:{sink.port}?cafile={certificates.ca_file}")
    assert (error.permanent, error.channel_down) == (False, True) and "password" in error.why
    assert sink.received == []


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such user", True), ("450 greylisted, come back", False)])
def test_one_recipient_may_be_refused(answer: str, permanent: bool) -> None:
    with mail_sink() as sink:
        sink.refused[ANN] = answer
        error = refusal(f"smtp://127.0.0.1:{sink.port}?insecure=true")
        assert (error.permanent, error.channel_down) == (permanent, False) and answer in error.why
        send(f"smtp://127.0.0.1:{sink.port}?insecure=true", to="bob@example.org")
    assert [got.recipients for got in sink.received] == [["bob@example.org"]]


@pytest.mark.parametrize(("answer", "permanent"), [("554 this is spam", True), ("451 local error", False)])
def test_the_mail_itself_may_be_refused(answer: str, permanent: bool) -> None:
    with mail_sink() as sink:
        sink.plan = [answer]
        error = refusal(f"smtp://127.0.0.1:{sink.port}?insecure=true")
        assert (error.permanent, error.channel_down) == (permanent, False)
        send(f"smtp://127.0.0.1:{sink.port}?insecure=true")
    assert len(sink.received) == 1


def _greets(rest: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        rest(connection)

    return play


def _takes(connection: socket.socket) -> None:
    """Everything up to the end of the mail."""
    for answer in (b"250 hello", b"250 OK", b"250 OK", b"354 go on"):
        until(connection)
        connection.sendall(answer + b"\r\n")
    until(connection, b"\r\n.\r\n")


def _drips(connection: socket.socket) -> None:
    stop = threading.Event()
    while not stop.wait(0.02):
        connection.sendall(b"2")


def _talks_for_ever(connection: socket.socket) -> None:
    until(connection)
    while True:
        connection.sendall(b"250-more\r\n" * 1000)


def _hangs(_: socket.socket) -> None:
    threading.Event().wait(30)


def _hangs_after_data(connection: socket.socket) -> None:
    _takes(connection)
    _hangs(connection)


def _closes(connection: socket.socket) -> None:
    until(connection)


def _says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


MISBEHAVIOURS: dict[str, Callable[[socket.socket], None]] = {
    "hangs before its greeting": _hangs,
    "hangs after its greeting": _greets(_hangs),
    "closes at once": _says(b""),
    "closes after its greeting": _greets(_closes),
    "drops the line after DATA": _greets(_takes),
    "hangs after DATA": _greets(_hangs_after_data),
    "is no mail server": _says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "sends rubbish": _says(bytes(range(256)) * 100 + b"\r\n"),
    "sends an endless line": _says(b"2" * 10_000_000),
    "is too busy": _says(b"421 too many connections\r\n"),
    "wants nothing from us": _says(b"554 no service\r\n"),
    "drips": _drips,
    "talks for ever": _greets(_talks_for_ever),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_whatever_the_server_does_it_ends_and_may_be_tried_again(name: str) -> None:
    with scripted_server(MISBEHAVIOURS[name]) as port:
        error = refusal(f"smtp://127.0.0.1:{port}?insecure=true&timeout=0.5", deadline=2.0)
    assert (error.permanent, error.channel_down) == (False, True)
    assert len(error.why) < 500 and error.why.isprintable()


def test_a_server_that_is_not_there_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = refusal(f"smtp://127.0.0.1:{port}?insecure=true")
    assert error.channel_down and "refused" in error.why


def test_how_it_says_goodbye_is_its_own_matter() -> None:
    def rude(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        _takes(connection)
        connection.sendall(b"250 taken\r\n")

    with scripted_server(rude) as port:
        send(f"smtp://127.0.0.1:{port}?insecure=true")


def test_a_missing_cafile_is_told(tmp_path: Path) -> None:
    assert "No such file" in refusal(f"smtp://127.0.0.1:1?cafile={tmp_path / 'none.crt'}").why
