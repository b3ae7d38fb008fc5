"""The process environment and ``.env``, merged; each value read as what it should be, or refused by name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from ..domain import actor
from ..domain.database_url import DatabaseUrl
from ..domain.duration import format_duration, parse_duration
from ..domain.errors import BadDuration, BadSetting
from ..domain.mail_address import may_be_an_address
from ..domain.nearest import did_you_mean
from ..domain.smtp_url import SmtpUrl
from ..domain.tenant import DEFAULT_TENANT, TENANT_RULE, Tenant, may_be_a_tenant
from ..domain.webhook_url import WebhookUrl

PREFIX = "KUBESCRIBE_"

_DURATIONS = (
    "HEARTBEAT",
    "LEASE",
    "GRACE",
    "STATEMENT_TIMEOUT",
    "SNAPSHOT_MAX_AGE",
    "CONNECT_TIMEOUT",
    "BROWSE_TIMEOUT",
    "START_DEADLINE",
)
_OTHERS = (
    "HOME",
    "PIPELINES",
    "REPORT_SCHEMA",
    "KEEP_VERSIONS",
    "DOWNLOAD_ROWS",
    "LOG_CAP",
    "MAX_RUNS",
    "LAUNCHER",
    "KEEP_JOBS",
    "POD_UID",
    "POD_NAME",
    "POD_NAMESPACE",
    "NODE",
    "JOB_UID",
    "JOB_NAME",
    "RUN_ID",
    "SLOT",
    "TERMINATION_LOG",
    "ACTOR",
    "AUDIT_ANCHOR",
    "PUBLIC_URL",
    "NOTIFY_RULES",
    "WEBHOOK_HOSTS",
    "WEBHOOK_NETWORKS",
    "HEARTBEAT_URL",
    "LOG",
    "TENANT",
    "API_HOSTS",
    "API_PROXIES",
    "API_RATE",
    "OIDC_ISSUER",
    "OIDC_AUDIENCE",
    "OIDC_KEYS",
    "OIDC_ALGORITHMS",
    "OIDC_CLAIM",
    "OIDC_ROLES",
    "NAMESPACE",
    "IMAGE",
    "SECRETS",
)
_KNOWN = frozenset(PREFIX + name for name in _DURATIONS + _OTHERS)

# What the runner hands to its children, which may read the settings too.
_HANDED_DOWN = frozenset(PREFIX + name for name in ("EVENTS", "CONTROL", "ATTEMPT_ID", "FAILPOINT"))
# What Kubernetes gives every pod of a namespace in which a Service is called kubescribe or kubescribe-something:
# KUBESCRIBE_SERVICE_HOST, KUBESCRIBE_API_PORT_8000_TCP_ADDR and the like.
_SERVICE_LINK = re.compile(
    r"KUBESCRIBE_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)"
)
_ALIAS = ("OPSLOG_DB_URL", "RUNLOG_DB_URL")
_TAKEN_SCHEMAS = ("kubescribe", "information_schema")  # kubescribe holds the ledger

T = TypeVar("T")


class Environment:
    """Values by name; every method takes a name without ``KUBESCRIBE_`` (but ``database_url``)."""

    def __init__(self, values: Mapping[str, str], cwd: Path) -> None:
        self._values = {name: value.strip() for name, value in values.items()}
        self._cwd = cwd

    @classmethod
    def read_all(cls, environ: Mapping[str, str], cwd: Path) -> Environment:
        """Both sources, the environment first. Names are checked in both."""
        values: dict[str, str] = {}
        for source in (_dotenv(cwd / ".env"), environ):
            for name in source:
                _check_name(name)
            values |= _without_alias(source)
        return cls(values, cwd)

    def database_url(self, name: str) -> DatabaseUrl | None:
        """A database URL; its errors never quote it."""
        text = self._values.get(name)
        return DatabaseUrl.parse(text, name) if text else None

    def duration(self, name: str, default: str, longer_than: timedelta = timedelta(0), because: str = "0") -> timedelta:
        """A duration longer than ``longer_than``, which ``because`` names."""
        duration = self._read(name, parse_duration, "a duration like 90, 90s, 10m, 1h30m or 2d", default)
        if duration <= longer_than:  # the default too: a long heartbeat makes the default of the lease too short
            limit = f"{because}, which is {format_duration(longer_than)}" if longer_than else because
            raise BadSetting(PREFIX + name, f"it is {format_duration(duration)} and must be longer than {limit}")
        return duration

    def count(self, name: str, default: int) -> int:
        """A whole number of at least 1."""
        return self._read(name, _positive, "a whole number of at least 1", str(default))

    def path(self, name: str) -> Path | None:
        """A path, absolute."""
        text = self._values.get(PREFIX + name)
        return self.absolute(text) if text else None

    def absolute(self, text: str) -> Path:
        """The path from the working folder; ``~/`` is the home folder, as no shell replaces it in ``.env``."""
        if text.startswith("~/") and self._values.get("HOME"):
            text = self._values["HOME"] + text[1:]
        return Path(os.path.abspath(self._cwd / text))  # noqa: PTH100 - resolve() would follow links

    def modules(self, name: str) -> tuple[str, ...]:
        """Names of modules, separated by commas."""
        return self._read(name, _modules, "module names separated by commas, like jobs.sales,jobs.stock", ",")

    def schema(self, name: str, default: str) -> str:
        """A name for a schema that needs no quotes and is nobody else's."""
        return self._read(name, _schema, "a lower-case name of at most 63 characters (not kubescribe, pg_…)", default)

    def smtp_url(self) -> SmtpUrl | None:
        """``SMTP_URL``; its errors never quote it."""
        text = self._values.get("SMTP_URL")
        return SmtpUrl.parse(text) if text else None

    def webhook(self, name: str) -> WebhookUrl | None:
        """A webhook of this name, which has no prefix; its errors never quote it."""
        text = self._values.get(name)
        return WebhookUrl.parse(text, name) if text else None

    def addresses(self, name: str) -> tuple[str, ...]:
        """Mail addresses separated by commas; the name has no prefix."""
        texts = filter(None, (part.strip() for part in self._values.get(name, "").split(",")))
        found = tuple(dict.fromkeys(texts))
        for address in found:
            if not may_be_an_address(address):
                raise BadSetting(
                    name, f"{address[:80]!r} is no address; write them like ann@example.org,bob@example.org"
                )
        return found

    def plain(self, name: str) -> str | None:
        """A value that is not ours, as it is; the name has no prefix."""
        return self._values.get(name) or None

    def path_or_webhook(self, name: str) -> Path | WebhookUrl | None:
        """A file, or an address that takes posts."""
        text = self._values.get(PREFIX + name)
        if text and "://" in text:
            return WebhookUrl.parse(text, PREFIX + name)
        return self.path(name)

    def choice(self, name: str, *choices: str) -> str:
        """One of the words; the first is the default."""
        return self._read(name, lambda text: choices[choices.index(text)], " or ".join(choices), choices[0])

    def public_url(self, name: str) -> str | None:
        """Where people reach the pages, without a slash at the end."""
        text = self._values.get(PREFIX + name)
        return self._read(name, _public, "a URL like https://kubescribe.example.org") if text else None

    def uuid(self, name: str) -> UUID | None:
        """A UUID."""
        return self._read(name, UUID, "a UUID") if self._values.get(PREFIX + name) else None

    def time(self, name: str) -> datetime | None:
        """A time with its offset from UTC."""
        expected = "a time with an offset, like 2026-11-21T05:00:00Z"
        return self._read(name, _aware, expected) if self._values.get(PREFIX + name) else None

    def actor(self, name: str) -> str:
        """Who acts; without a setting the login name, and without that the user's number."""
        return self._read(name, _printable, "at most 200 printable characters", actor.user(self._login()))

    def tenant(self, name: str) -> Tenant:
        """A tenant's name."""
        return self._read(name, _tenant, TENANT_RULE, DEFAULT_TENANT)

    def text(self, name: str) -> str | None:
        """A value as it is."""
        return self._values.get(PREFIX + name) or None

    def read(self, name: str, read: Callable[[str], T], expected: str, default: str = "") -> T:
        """A value as ``read`` reads it (``ValueError``: it cannot be); ``expected`` says what it should be."""
        return self._read(name, read, expected, default)

    def _login(self) -> str:
        for name in ("LOGNAME", "USER"):
            if _is_printable(login := self._values.get(name, "")):
                return login
        try:
            from pwd import getpwuid

            return getpwuid(os.getuid()).pw_name
        except (ImportError, AttributeError, KeyError):  # another system, or a pod's made-up user
            return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"

    def _read(self, name: str, read: Callable[[str], T], expected: str, default: str = "") -> T:
        text = self._values.get(PREFIX + name) or default
        try:
            return read(text)
        except (ValueError, BadDuration):
            shown = text if len(text) <= 80 else text[:80] + "…"
            raise BadSetting(PREFIX + name, f"it is {shown!r} and must be {expected}") from None


def _dotenv(file: Path) -> Mapping[str, str]:
    if not file.is_file():
        return {}
    from dotenv.parser import parse_stream  # only who has the file pays for the import

    values: dict[str, str] = {}
    with file.open(encoding="utf-8") as stream:
        # Not interpolated: a password may hold ${, and the process environment is not ours to read here.
        for one in parse_stream(stream):
            if one.error or (one.key is not None and one.value is None):
                # The line is not quoted: it may be the second one of a secret.
                raise BadSetting(
                    ".env", f"line {one.original.line} of {file} is neither NAME=value nor a comment that begins with #"
                )
            if one.key is not None and one.value is not None:
                values[one.key] = one.value
    return values


def _without_alias(source: Mapping[str, str]) -> dict[str, str]:
    """The source under the names that are read; within one source alias and name must agree."""
    values = dict(source)
    alias, name = _ALIAS
    old = values.pop(alias, "")
    if old and values.get(name) and old != values[name]:
        raise BadSetting(name, f"{alias} is set too, to something else; {alias} is its old name: remove one of them")
    return values | {name: old} if old else values


def _check_name(name: str) -> None:
    if not name.startswith(PREFIX) or name in _KNOWN or name in _HANDED_DOWN:
        return
    if name.startswith(PREFIX + "TEST_") or _SERVICE_LINK.fullmatch(name):
        return
    raise BadSetting(name, f"there is no such setting{did_you_mean(name, sorted(_KNOWN))}")


def _public(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", text):
        raise ValueError
    return text.rstrip("/")


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) >= 1):
        raise ValueError
    return int(text)


def _modules(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if not all(part.isidentifier() for name in names for part in name.split(".")):
        raise ValueError
    return names


def _schema(text: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text) or text.startswith("pg_") or text in _TAKEN_SCHEMAS:
        raise ValueError
    return text


def _aware(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time


def _is_printable(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable()


def _printable(text: str) -> str:
    if not _is_printable(text):
        raise ValueError
    return text


def _tenant(text: str) -> Tenant:
    if not may_be_a_tenant(text):
        raise ValueError
    return text
