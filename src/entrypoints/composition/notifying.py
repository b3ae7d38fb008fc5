"""Who is told, by which channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...application.notify import Notify
from ...application.redaction import Redactor
from ...domain.errors import BadSetting
from .container import Container

if TYPE_CHECKING:
    from ...application.ports.channel import Channel
    from ..settings import Settings


def channels(settings: Settings) -> tuple[Channel, ...]:
    """The channels that the settings name; none where none is named. Raises :class:`BadSetting` for half of one."""
    found: list[Channel] = []
    if settings.smtp_url is not None:
        if not settings.notify_email:
            raise BadSetting("NOTIFY_EMAIL", "SMTP_URL is set, and nobody to write to; write it like ann@example.org")
        from ...adapters.smtp.channel import SmtpChannel

        sender = settings.notify_from or _sender(settings.smtp_url.user) or settings.notify_email[0]
        found.append(SmtpChannel(settings.smtp_url, sender=sender, addresses=settings.notify_email))
    elif settings.notify_email:
        raise BadSetting("SMTP_URL", "NOTIFY_EMAIL is set, and no server; write it as smtps://user:password@host")
    if settings.slack_webhook_url is not None:
        from ...adapters.http.client import StandardHttpClient
        from ...adapters.slack.channel import SlackChannel

        found.append(SlackChannel(StandardHttpClient(), settings.slack_webhook_url))
    return tuple(found)


def notify(container: Container, to: tuple[Channel, ...] | None = None) -> Notify:
    """The sender of what is due; ``to``: None for the channels of the settings."""
    settings = container.settings()
    redactor = Redactor((*settings.secrets(), *container.databases().secrets()))
    return Notify(
        tenant=settings.tenant,
        outbox=container.outbox(),
        run_log=container.run_log(),
        history=container.run_history(),
        channels=channels(settings) if to is None else to,
        clock=container.clock(),
        hidden=redactor.text,
        public_url=settings.public_url,
    )


def _sender(user: str | None) -> str | None:
    from ...domain.mail_address import may_be_an_address

    return user if user is not None and may_be_an_address(user) else None
