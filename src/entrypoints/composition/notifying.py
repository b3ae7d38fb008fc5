"""Who is told, by which channels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...application.announce import Announce
from ...application.attach_reports import AttachReports
from ...application.notify import Notify
from ...application.redaction import Redactor
from ...application.remind import Remind
from ...domain.errors import BadSetting
from ...domain.row_format import RowFormat
from .browsing import row_encoder
from .container import Container

if TYPE_CHECKING:
    from ...application.ports.channel import Channel
    from ..settings import Settings


def channels(settings: Settings) -> tuple[Channel, ...]:
    """The channels that the settings name; none where none is named. Raises :class:`BadSetting` for half of one."""
    found: list[Channel] = []
    told = settings.notify
    if settings.smtp_url is not None:
        addresses = tuple(dict.fromkeys((*settings.notify_email, *told.rules.addresses("email"))))
        if not addresses:
            raise BadSetting("NOTIFY_EMAIL", "SMTP_URL is set, and nobody to write to; write it like ann@example.org")
        from ...adapters.smtp.channel import SmtpChannel

        sender = settings.notify_from or _sender(settings.smtp_url.user) or addresses[0]
        found.append(SmtpChannel(settings.smtp_url, sender=sender, addresses=addresses))
    elif settings.notify_email:
        raise BadSetting("SMTP_URL", "NOTIFY_EMAIL is set, and no server; write it as smtps://user:password@host")
    if told.slack:
        from ...adapters.http.client import StandardHttpClient
        from ...adapters.slack.channel import SlackChannel

        found.append(SlackChannel(StandardHttpClient(), told.slack))
    if told.webhooks:
        from ...adapters.http.guarded import GuardedHttpClient
        from ...adapters.webhook.channel import WebhookChannel

        found.append(WebhookChannel(GuardedHttpClient(told.reachable), told.webhooks, now=time.time))
    if told.pagerduty:
        from ...adapters.http.client import StandardHttpClient
        from ...adapters.pagerduty.channel import PagerDutyChannel

        found.append(PagerDutyChannel(StandardHttpClient(), told.pagerduty_url, told.pagerduty))
    if told.apprise:
        found.append(_apprise(told.apprise))
    return tuple(found)


def _apprise(urls: dict[str, str]) -> Channel:
    try:
        from ...adapters.apprise.channel import AppriseChannel

        return AppriseChannel(urls)
    except ImportError:
        why = 'they need apprise: pip install "kubescribe[apprise]"'
        raise BadSetting("APPRISE_URLS", why) from None
    except ValueError as error:
        why = f"apprise does not know the address {error}, or takes it for wrong; `apprise --details` lists the forms"
        raise BadSetting("APPRISE_URLS", why) from None


def notify(container: Container, to: tuple[Channel, ...] | None = None) -> Notify:
    """The sender of what is due; ``to``: None for the channels of the settings."""
    settings = container.settings()
    told = channels(settings) if to is None else to
    hidden = redactor(container).text
    announce = Announce(
        tenant=settings.tenant,
        run_log=container.run_log(),
        history=container.run_history(),
        figures=container.run_figures(),
        incidents=container.incidents(),
        outbox=container.outbox(),
        hidden=hidden,
        public_url=settings.public_url,
        rules=settings.notify.rules,
        attach=AttachReports(container.report_reader, row_encoder(RowFormat.CSV)),
    )
    return Notify(
        tenant=settings.tenant,
        outbox=container.outbox(),
        announce=announce,
        channels=told,
        clock=container.clock(),
        hidden=hidden,
        rules=settings.notify.rules,
        everybody=tuple((one.name, address) for one in told for address in _own(one, settings)),
        collecting=settings.notify.collecting,
    )


def redactor(container: Container) -> Redactor:
    """What takes this process's secrets out of what others are told."""
    return Redactor((*container.settings().secrets(), *container.databases().secrets()))


def remind(container: Container) -> Remind:
    """The writer of what time makes due."""
    settings = container.settings()
    told = settings.notify
    return Remind(tenant=settings.tenant, reminders=container.reminders(), every=told.repeat, summary=told.summary)


def _own(channel: Channel, settings: Settings) -> tuple[str, ...]:
    """Whom a channel reaches without a rule that names them."""
    return settings.notify_email if channel.name == "email" else channel.addresses


def _sender(user: str | None) -> str | None:
    from ...domain.mail_address import may_be_an_address

    return user if user is not None and may_be_an_address(user) else None
