"""Where mail is handed over: ``smtp://`` and ``smtps://``."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from .errors import BadSetting

_NAME = "SMTP_URL"
_EXPECTED = "write it as smtps://user:password@host:465 or smtp://user:password@host:587"


class SmtpUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server and how to log in; printed without its password.

    ``smtps`` speaks TLS from the first byte. ``smtp`` changes to TLS by STARTTLS before anything else is said, and
    refuses a server that does not offer it; with ``insecure=true`` it speaks in the clear, and never logs in.
    """

    host: str
    port: int
    implicit_tls: bool
    user: str | None = None
    password: str | None = None
    insecure: bool = False
    """No TLS at all: for a server on the same machine."""
    ca_file: str | None = None
    """``cafile``: whom to trust instead of the system's authorities."""
    timeout: float = 10.0
    """Seconds that each answer of the server may take."""

    @classmethod
    def parse(cls, text: str) -> SmtpUrl:
        """Read a URL; raises :class:`BadSetting`, which never quotes it."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
            given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise BadSetting(_NAME, f"it is no URL; {_EXPECTED}") from None
        if parts.scheme not in ("smtp", "smtps"):
            raise BadSetting(_NAME, f"it must begin with smtp:// or smtps://; {_EXPECTED}")
        if not host or parts.path not in ("", "/") or parts.fragment:
            raise BadSetting(_NAME, f"it names no host, or says more than a host; {_EXPECTED}")
        options = dict(given)
        unknown = sorted(set(options) - {"insecure", "cafile", "timeout"})
        if unknown or len(options) != len(given):
            raise BadSetting(_NAME, "behind the ? it takes insecure=true, cafile=PATH and timeout=SECONDS, each once")
        insecure = _truth(options.get("insecure", "false"))
        implicit = parts.scheme == "smtps"
        user, password = _decoded(parts.username), _decoded(parts.password)
        if insecure and implicit:
            raise BadSetting(_NAME, "smtps:// and insecure=true contradict each other")
        if insecure and user is not None:
            raise BadSetting(_NAME, "a user and a password are never sent in the clear; leave out insecure=true")
        if (user is None) != (password is None):
            raise BadSetting(_NAME, "it has a user or a password, and not both")
        return cls(
            host=host,
            port=port or (465 if implicit else 25 if insecure else 587),
            implicit_tls=implicit,
            user=user,
            password=password,
            insecure=insecure,
            ca_file=options.get("cafile"),
            timeout=_seconds(options.get("timeout", "10")),
        )

    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""
        return () if self.password is None else (self.password,)

    def __repr__(self) -> str:
        who = "" if self.user is None else f"{self.user}:•••@"
        return f"{'smtps' if self.implicit_tls else 'smtp'}://{who}{self.host}:{self.port}"


def _decoded(text: str | None) -> str | None:
    return unquote(text) if text else None


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadSetting(_NAME, "insecure is true or false")
    return text == "true"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 300:
        raise BadSetting(_NAME, "timeout is a number of seconds, at most 300")
    return seconds
