"""Reading the text of a database URL, as strictly as the strictest of its readers.

libpq, asyncpg and SQLAlchemy disagree about raw reserved characters, repeated parameters, hosts named twice and
weak TLS modes with a certificate. Whatever they would read differently is refused here, with what to write
instead. No message quotes the text: a URL that cannot be split surely cannot be masked surely.
"""

from __future__ import annotations

from .errors import BadDatabaseUrl
from .nearest import did_you_mean
from .percent_encoding import percent_decode

Hosts = tuple[tuple[str, int | None], ...]
Parts = tuple[str | None, str | None, Hosts, str | None, tuple[tuple[str, str], ...]]
"""User, password, hosts with ports, database, parameters sorted by name."""

_EXAMPLE = "postgresql://user:password@host:5432/database?sslmode=verify-full"
_SCHEMES = {"postgres", "postgresql"} | {f"postgresql+{d}" for d in ("asyncpg", "psycopg", "psycopg2")}
# Only these are quoted back: an unknown scheme may be anything, even a secret in the wrong place.
_OTHERS = (
    "mysql",
    "mariadb",
    "sqlite",
    "oracle",
    "mssql",
    "duckdb",
    "snowflake",
    "redshift",
    "mongodb",
    "http",
)

_ONE_OF = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "keepalives": ("0", "1"),
}
_NUMBERS = (
    "connect_timeout",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_TEXTS = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "application_name", "options", "passfile")
_PARTS = ("user", "password", "host", "port", "dbname")
_KNOWN = (*_ONE_OF, *_NUMBERS, *_TEXTS, *_PARTS)
_MEANT = {"ssl": "sslmode", "database": "dbname", "timeout": "connect_timeout", "search_path": "options"}


def parse_database_url(text: str, name: str) -> Parts:
    """The parts of the URL, percent-decoded; ``BadDatabaseUrl`` (named ``name``) with one sentence otherwise."""
    try:
        return _parse(text.strip())
    except ValueError as wrong:
        raise BadDatabaseUrl(name, str(wrong)) from None


def _parse(text: str) -> Parts:
    scheme, separator, rest = text.partition("://")
    _check_scheme(scheme.lower(), bool(separator))
    if " " in rest or not rest.isprintable():
        raise ValueError("it holds a space or a control character (percent-encode it; a space is %20)")
    head, _, query = rest.partition("?")
    authority, _, path = head.partition("/")
    if "#" in rest or "@" in path or "@" in query or authority.count("@") > 1:
        raise ValueError(
            "a reserved character stands in it unencoded: in the user and the password write # as %23, / as %2F, "
            "? as %3F, and @ anywhere but before the host as %40"
        )
    login, _, host_list = authority.rpartition("@")
    user, _, password = login.partition(":")
    given = _parameters(query)
    hosts = _hosts(host_list, given.pop("host", ""), given.pop("port", ""))
    names = (("user", user), ("password", password), ("dbname", path))
    parts = {key: _once(key, percent_decode(raw), given.pop(key, "")) or None for key, raw in names}
    _settle_tls(given)
    _check_values(given)
    return parts["user"], parts["password"], hosts, parts["dbname"], tuple(sorted(given.items()))


def _check_scheme(scheme: str, is_url: bool) -> None:
    if "=" in scheme:  # host=h password=a://b holds a separator too
        raise ValueError(f"it is a libpq keyword string; write it as a URL: {_EXAMPLE}")
    if not is_url:
        raise ValueError(f"it is not a URL; write it like {_EXAMPLE}")
    if scheme in _SCHEMES:
        return
    known = next((other for other in _OTHERS if scheme.split("+")[0] in (other, other + "s")), None)
    what = f"{known} is not PostgreSQL" if known else "its scheme is not PostgreSQL's"
    raise ValueError(f"{what}; only postgresql:// (or postgres://) serves here, like {_EXAMPLE}")


def _parameters(query: str) -> dict[str, str]:
    """The query's parameters, each known and given once; an empty value counts as not given."""
    found: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        key, separator, raw = pair.partition("=")
        # A password in the query may hold a raw & and =, so a piece of it would pass for a name.
        shown = "a parameter" if "password=" in query else f"the parameter {key!r}"
        if not separator:
            raise ValueError("a part of its query has no = sign")
        if key in ("service", "servicefile"):
            raise ValueError("service files are not read, so that all drivers see the same; name host and user")
        if key not in _KNOWN:
            hint = f"; did you mean {_MEANT[key]}?" if key in _MEANT else did_you_mean(key, _KNOWN)
            raise ValueError(f"{shown} is not one that all drivers can be given{hint}")
        if key in found:
            raise ValueError(f"{shown} is given twice")
        found[key] = percent_decode(raw)
    return {key: value for key, value in found.items() if value}


def _once(key: str, first: str, second: str) -> str:
    if first and second:  # libpq takes the second, asyncpg the first
        raise ValueError(f"the {key} is given twice: before the ? and after it")
    return first or second


def _hosts(authority: str, query_hosts: str, query_ports: str) -> Hosts:
    _once("host", authority, query_hosts)
    if query_hosts:
        names = query_hosts.split(",")
        if any(host.count(":") == 1 for host in names):
            raise ValueError("the port of a host after the ? belongs into its own parameter: host=h1,h2&port=1,2")
        found = [(host, "") for host in names]
    else:
        found = [_host_and_port(item) for item in authority.split(",")] if authority else []
    if query_ports:
        ports = query_ports.split(",")
        if any(port for _, port in found):
            raise ValueError("the port is given twice: before the ? and after it")
        if len(ports) not in (1, len(found)):
            raise ValueError("the number of ports is neither one nor that of the hosts")
        found = [(host, ports[i % len(ports)]) for i, (host, _) in enumerate(found)]
    if any(not host or "," in host or not host.isprintable() for host, _ in found) or (query_ports and not found):
        raise ValueError("a host is empty or cannot be one")
    return tuple((host, _port(port) if port else None) for host, port in found)


def _host_and_port(item: str) -> tuple[str, str]:
    if item.startswith("["):
        host, bracket, tail = item[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise ValueError("an IPv6 host is not closed by ] and an optional port")
        return percent_decode(host), tail[1:]
    host, _, port = item.partition(":")
    if ":" in port:
        raise ValueError("a host has more than one colon (an IPv6 address stands in brackets: [::1])")
    return percent_decode(host), port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError("a port is not a number from 1 to 65535 (a : or @ in a password must be percent-encoded)")
    return int(text)


def _settle_tls(given: dict[str, str]) -> None:
    """Make the TLS parameters say what they do, or refuse them.

    libpq turns ``require`` into ``verify-ca`` when it finds the CA's file and verifies nothing when it does not; a
    weaker mode with a CA ends in plain text (libpq) or unverified (asyncpg). Written out, a missing file is an
    error everywhere.
    """
    mode = given.get("sslmode")
    if given.get("sslrootcert") == "system":
        if mode not in (None, "verify-full"):
            raise ValueError("sslrootcert=system needs sslmode=verify-full (anybody can get a certificate)")
        given["sslmode"] = "verify-full"
    elif "sslrootcert" in given or "sslcrl" in given:
        if mode in (None, "disable", "allow", "prefer"):
            raise ValueError("sslrootcert and sslcrl protect nothing without sslmode=verify-full (or verify-ca)")
        given["sslmode"] = "verify-ca" if mode == "require" else str(mode)


def _check_values(given: dict[str, str]) -> None:
    for key, value in given.items():
        if key in _ONE_OF and value not in _ONE_OF[key]:
            raise ValueError(f"{key} must be one of {', '.join(_ONE_OF[key])}")
        if key in _NUMBERS and not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValueError(f"{key} must be a whole number")
