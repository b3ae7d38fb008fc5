"""Mail to each address on its own, handed over to one server."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from ...application.off_loop import off_loop
from ...domain.announcement import Announcement, one_line
from ...domain.errors import NotDelivered
from ...domain.smtp_url import SmtpUrl
from .message import mail

_DEADLINE = 60.0
"""Seconds for all of a message, however slowly the server answers."""


class SmtpChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` over :mod:`smtplib`.

    TLS with a verified certificate before anything is said, a login included, unless the URL says ``insecure``. One
    recipient a message: who is refused keeps nobody else from getting theirs.
    """

    name = "email"
    alone = False

    def __init__(self, url: SmtpUrl, *, sender: str, addresses: tuple[str, ...], deadline: float = _DEADLINE) -> None:
        self._url = url
        self._sender = sender
        self._addresses = addresses
        self._deadline = deadline

    @property
    def addresses(self) -> tuple[str, ...]:
        """See the port."""
        return self._addresses

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        message = mail(announcement, sender=self._sender, recipient=address, message_id=message_id)
        message["Date"] = format_datetime(datetime.now(UTC))  # of the sending, however long it had to wait
        server, opened = repr(self._url), list[smtplib.SMTP]()
        try:
            await off_loop(lambda: self._hand_over(message, address, opened), seconds=self._deadline)
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = next(iter(refused.recipients.values()))
            raise NotDelivered(_said(server, code, text), permanent=code >= 500) from None
        except smtplib.SMTPAuthenticationError as error:
            why = f"{server} refused the user or the password ({error.smtp_code})"
            raise NotDelivered(why, channel_down=True) from None
        except smtplib.SMTPSenderRefused as error:
            raise NotDelivered(_said(server, error.smtp_code, error.smtp_error), channel_down=True) from None
        except smtplib.SMTPDataError as error:
            why = _said(server, error.smtp_code, error.smtp_error)
            raise NotDelivered(why, permanent=error.smtp_code >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(_said(server, error.smtp_code, error.smtp_error), channel_down=True) from None
        except ssl.SSLCertVerificationError as error:
            why = f"the certificate of {server} is not to be trusted: {error.verify_message}"
            raise NotDelivered(why, channel_down=True) from None
        except smtplib.SMTPNotSupportedError:
            why = f"{server} offers no STARTTLS, or no way to log in; nothing is said to it in the clear"
            raise NotDelivered(why, channel_down=True) from None
        except TimeoutError:
            for one in opened:  # a server that goes on talking talks to nobody
                with contextlib.suppress(OSError, AttributeError):
                    one.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
            raise NotDelivered(f"{server} did not answer in time", channel_down=True) from None
        except (OSError, smtplib.SMTPException, ValueError, EOFError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise NotDelivered(f"{server} broke off: {why}", channel_down=True) from None

    def _hand_over(self, message: EmailMessage, address: str, opened: list[smtplib.SMTP]) -> None:
        url = self._url
        context = None if url.insecure else ssl.create_default_context(cafile=url.ca_file)
        server: smtplib.SMTP
        if context is not None and url.implicit_tls:
            server = smtplib.SMTP_SSL(
                url.host, url.port, local_hostname=_hostname(), timeout=url.timeout, context=context
            )
        else:
            server = smtplib.SMTP(url.host, url.port, local_hostname=_hostname(), timeout=url.timeout)
        opened.append(server)
        try:
            if context is not None and not url.implicit_tls:
                server.starttls(context=context)
            if url.user is not None and url.password is not None:
                server.login(url.user, url.password)
            # Not send_message: whom it goes to is said here, and never read out of the headers.
            server.sendmail(self._sender, [address], message.as_bytes())
        except BaseException:
            server.close()
            raise
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()  # the message was taken; how the server says goodbye is its own matter


def _hostname() -> str:
    """What HELO says: the host's name, and never a look into the DNS for a longer one, which may take a minute."""
    name = socket.gethostname()
    return name if name.isascii() and name.replace("-", "").replace(".", "").isalnum() else "localhost"


def _said(server: str, code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{server} said {code} {one_line(said, 200)}"
