"""Who is told, and how: the settings beside mail and Slack's one webhook."""

from __future__ import annotations

from ipaddress import ip_network

import msgspec

from ..domain.collecting import Collecting
from ..domain.errors import BadSetting
from ..domain.notify_rules import Hours, Rules
from ..domain.reachable import Network, Reachable
from ..domain.webhook_target import WebhookTarget
from ..domain.webhook_url import WebhookUrl
from .environment import PREFIX, Environment
from .notify_file import NAME, NotifyFile, TargetEntry, read_notify_file

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"


class NotifySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read and checked; printed without secrets."""

    slack: dict[str, WebhookUrl]
    """``SLACK_WEBHOOK_URL`` as ``webhook``, and the file's."""
    webhooks: dict[str, WebhookTarget]
    """``NOTIFY_WEBHOOK_URL`` with ``NOTIFY_WEBHOOK_SECRET`` as ``webhook``, and the file's."""
    pagerduty_url: WebhookUrl
    """``PAGERDUTY_URL``: where its events go; a customer's in Europe go elsewhere."""
    pagerduty: dict[str, str]
    """Routing keys: ``PAGERDUTY_ROUTING_KEY`` as ``service``, and the file's."""
    apprise: dict[str, str]
    """``APPRISE_URLS``, separated by spaces, as ``1``, ``2`` and so on; and the file's."""
    reachable: Reachable
    """``KUBESCRIBE_WEBHOOK_HOSTS`` and ``KUBESCRIBE_WEBHOOK_NETWORKS``: what webhooks may reach."""
    rules: Rules
    """``KUBESCRIBE_NOTIFY_RULES``."""
    collecting: Collecting
    repeat: float
    """Seconds between two messages about an incident that is still there."""
    summary: Hours | None
    """When the summary of a week is due."""
    heartbeat_url: WebhookUrl | None
    """``KUBESCRIBE_HEARTBEAT_URL``: who is told that runs are looked after."""

    fault: BadSetting | None = None
    """Why the file cannot be used; nothing of it is in here then."""

    def usable(self) -> NotifySettings:
        """These; raises :class:`BadSetting` where the file has a fault."""
        if self.fault is not None:
            raise self.fault
        return self

    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""
        urls = [*self.slack.values(), *([] if self.heartbeat_url is None else [self.heartbeat_url])]
        found = [secret for url in urls for secret in url.secrets()]
        found += [secret for target in self.webhooks.values() for secret in target.secrets()]
        return (*found, *self.pagerduty.values(), *self.apprise.values())

    def __repr__(self) -> str:
        shown = [f"{channel}={list(names)}" for channel, names in self.names().items() if names]
        return f"NotifySettings({', '.join(shown)})"

    def names(self) -> dict[str, tuple[str, ...]]:
        """The addresses of each channel but mail."""
        return {
            "slack": tuple(self.slack),
            "webhook": tuple(self.webhooks),
            "pagerduty": tuple(self.pagerduty),
            "apprise": tuple(self.apprise),
        }


def load_notify_settings(env: Environment) -> NotifySettings:
    """The settings of the environment and of the file that it names.

    A fault of the file's is kept as ``fault``: runs have nothing to do with it, and go on. Those who tell people ask
    for :meth:`NotifySettings.usable`. Raises :class:`BadSetting` for a variable of ours.
    """
    path = env.path("NOTIFY_RULES")
    if path is None:
        return _settings(env, NotifyFile())
    try:
        return _settings(env, read_notify_file(path))
    except BadSetting as fault:
        return msgspec.structs.replace(_settings(env, NotifyFile()), fault=fault)


def _settings(env: Environment, file: NotifyFile) -> NotifySettings:
    reachable = Reachable(
        env.read("WEBHOOK_HOSTS", _hosts, "host names separated by commas: hooks.example.org,*.example.com", "*"),
        env.read("WEBHOOK_NETWORKS", _networks, "networks separated by commas: 10.1.0.0/16", ""),
    )
    slack = {} if (one := env.webhook("SLACK_WEBHOOK_URL")) is None else {"webhook": one}
    webhooks: dict[str, WebhookTarget] = {}
    if (one := env.webhook("NOTIFY_WEBHOOK_URL")) is not None:
        secret = env.plain("NOTIFY_WEBHOOK_SECRET")
        webhooks["webhook"] = WebhookTarget.of(one, secret, "NOTIFY_WEBHOOK_SECRET")
        reachable.target(one, "NOTIFY_WEBHOOK_URL")
    key = env.plain("PAGERDUTY_ROUTING_KEY")
    pagerduty = {} if key is None else {"service": _key(key, "PAGERDUTY_ROUTING_KEY")}
    apprise = {str(number): url for number, url in enumerate((env.plain("APPRISE_URLS") or "").split(), 1)}
    for name, entry in file.targets.items():
        if entry.channel == "slack":
            slack[name] = WebhookUrl.parse(_variable(env, entry.url_from, name, "url_from"), str(entry.url_from))
        elif entry.channel == "webhook":
            webhooks[name] = _webhook(env, name, entry, reachable)
        elif entry.channel == "pagerduty":
            pagerduty[name] = _key(_variable(env, entry.key_from, name, "key_from"), str(entry.key_from))
        else:
            apprise[name] = _variable(env, entry.url_from, name, "url_from")
    found = NotifySettings(
        slack=slack,
        webhooks=webhooks,
        pagerduty_url=env.webhook("PAGERDUTY_URL") or WebhookUrl.parse(PAGERDUTY, "PAGERDUTY_URL"),
        pagerduty=pagerduty,
        apprise=apprise,
        reachable=reachable,
        rules=file.rules,
        collecting=file.collecting,
        repeat=file.repeat,
        summary=file.summary,
        heartbeat_url=env.webhook(PREFIX + "HEARTBEAT_URL"),
    )
    _check_rules(found, mail=bool(env.plain("SMTP_URL")))
    return found


def _check_rules(found: NotifySettings, *, mail: bool) -> None:
    """Every address that a rule names is there."""
    known = found.names()
    for number, rule in enumerate(found.rules.rules, 1):
        for channel, address in rule.to:
            if channel == "email":
                if not mail:
                    raise BadSetting(NAME, f"rule {number} tells by email, and SMTP_URL is not set")
            elif not known[channel]:
                raise BadSetting(NAME, f"rule {number} tells by {channel}, and no address of it is set")
            elif address is not None and address not in known[channel]:
                there = ", ".join(known[channel])
                raise BadSetting(NAME, f"rule {number} names {channel}:{address[:80]}; of {channel} there is {there}")


def _webhook(env: Environment, name: str, entry: TargetEntry, reachable: Reachable) -> WebhookTarget:
    url = WebhookUrl.parse(_variable(env, entry.url_from, name, "url_from"), str(entry.url_from))
    reachable.target(url, str(entry.url_from))
    secret = None if entry.secret_from is None else _variable(env, entry.secret_from, name, "secret_from")
    return WebhookTarget.of(url, secret, str(entry.secret_from))


def _variable(env: Environment, variable: str | None, target: str, field: str) -> str:
    if variable is None:
        raise BadSetting(NAME, f"[target.{target}] needs {field}: the name of the variable that has it")
    value = env.plain(variable)
    if value is None:
        raise BadSetting(NAME, f"[target.{target}] takes {field} from {variable[:80]}, which is not set")
    return value


def _key(text: str, name: str) -> str:
    if not (text.isascii() and text.isalnum() and 16 <= len(text) <= 64):
        raise BadSetting(name, "it is no routing key: those are 32 letters and digits")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    found = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not found or any(not part.isascii() or not part.isprintable() or "/" in part for part in found):
        raise ValueError
    return found


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
