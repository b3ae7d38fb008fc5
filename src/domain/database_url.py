"""One database URL for every driver: asyncpg, libpq (psycopg, psql) and ADBC."""

from __future__ import annotations

from .database_url_parser import Hosts, parse_database_url
from .errors import BadDatabaseUrl
from .percent_encoding import percent_encode

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any, NoReturn, Self

_MASK = "•••"
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


class DatabaseUrl:
    """Where a database is and how to log in; frozen, compared by value, and printed without its password.

    ``name`` is the variable that it came from: errors speak of it, comparisons leave it out. Every parameter is
    routed by name, because asyncpg would send one that it does not know to the server as a setting. What a URL
    leaves out (user, host, ``PGSSLMODE``, ``~/.pgpass``) each driver takes from libpq's usual places.

    Not a dataclass: importing ``dataclasses`` takes longer than all of this.
    """

    __slots__ = ("database", "hosts", "name", "parameters", "password", "user")

    user: str | None
    password: str | None
    hosts: Hosts
    database: str | None
    parameters: tuple[tuple[str, str], ...]
    name: str

    def __init__(
        self,
        user: str | None,
        password: str | None,
        hosts: Hosts,
        database: str | None,
        parameters: tuple[tuple[str, str], ...],
        name: str,
    ) -> None:
        for field, value in zip(_FIELDS, (user, password, hosts, database, parameters, name), strict=True):
            object.__setattr__(self, field, value)

    @classmethod
    def parse(cls, text: str, name: str = "RUNLOG_DB_URL") -> Self:
        """Read a URL; ``BadDatabaseUrl`` says in one sentence what is wrong and never quotes the text."""
        return cls(*parse_database_url(text, name), name)

    def for_asyncpg(self, pooled: bool = False) -> dict[str, Any]:
        """Keyword arguments for ``asyncpg.connect`` (and ``create_pool``), new with every call.

        ``pooled`` is for a transaction-mode pooler: no prepared statements are kept. ``timeout`` covers all hosts
        together, so it is libpq's ``connect_timeout`` times their number. What asyncpg lacks is refused where
        security hangs on it (``channel_binding=require``, ``gssencmode=require``) and dropped where not (the
        keepalives). Reads the system's certificates when ``sslrootcert=system``; otherwise no I/O.
        """
        given = dict(self.parameters)
        for key in ("channel_binding", "gssencmode"):
            if given.get(key) == "require":
                raise BadDatabaseUrl(self.name, f"asyncpg, which is used here, cannot keep {key}=require")
        arguments: dict[str, Any] = {
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "passfile": given.get("passfile"),
            "target_session_attrs": given.get("target_session_attrs"),
            "server_settings": {key: given[key] for key in ("application_name", "options") if key in given},
        }
        if self.hosts:
            arguments["host"] = [host for host, _ in self.hosts]
            # Without any port a single host follows PGPORT; several hosts do not (libpq's rule).
            if len(self.hosts) > 1 or any(port for _, port in self.hosts):
                arguments["port"] = [port or 5432 for _, port in self.hosts]
        if "connect_timeout" in given:
            arguments["timeout"] = float(given["connect_timeout"]) * max(1, len(self.hosts)) or None
        if pooled:
            arguments["statement_cache_size"] = 0
        arguments |= _asyncpg_tls(given)
        return {key: value for key, value in arguments.items() if value not in (None, {}) or key == "timeout"}

    def for_libpq(self) -> str:
        """A libpq URI: for ``psycopg.connect``, ``psql`` and ADBC. It holds the password."""
        return self._uri(percent_encode(self.password) if self.password else "")

    def masked(self) -> str:
        """The URI with ``•••`` for the password, for people to read."""
        return self._uri(_MASK if self.password else "")

    def secrets(self) -> tuple[str, ...]:
        """The password as it is and percent-encoded: what must appear in no log."""
        if not self.password:
            return ()
        return tuple(dict.fromkeys((self.password, percent_encode(self.password))))

    def with_application_name(self, text: str) -> Self:
        """The same, under another ``application_name``: at most 63 ASCII bytes, or the server would change it."""
        if not (text.isascii() and text.isprintable() and 0 < len(text) <= 63):
            raise BadDatabaseUrl(self.name, "the application_name must be 1 to 63 printable ASCII characters")
        given = dict(self.parameters) | {"application_name": text}
        return type(self)(self.user, self.password, self.hosts, self.database, tuple(sorted(given.items())), self.name)

    def each_host(self) -> tuple[Self, ...]:
        """One URL a host, in order: asyncpg waits for a silent host until its whole timeout is over."""
        return tuple(
            type(self)(self.user, self.password, (host,), self.database, self.parameters, self.name)
            for host in self.hosts
        ) or (self,)

    def _uri(self, password: str) -> str:
        login = percent_encode(self.user or "") + (f":{password}" if password else "")
        hosts = ",".join(_host_text(host) + (f":{port}" if port else "") for host, port in self.hosts)
        query = "&".join(f"{key}={percent_encode(value)}" for key, value in self.parameters)
        return (
            f"postgresql://{login}{'@' if login else ''}{hosts}/{percent_encode(self.database or '')}"
            f"{'?' if query else ''}{query}"
        )

    def _values(self) -> tuple[object, ...]:
        return (self.user, self.password, self.hosts, self.database, self.parameters)

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, DatabaseUrl) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.masked()!r})"

    def __str__(self) -> str:
        return self.masked()

    def __setattr__(self, field: str, value: object) -> NoReturn:
        raise AttributeError(f"DatabaseUrl is frozen: {field} cannot be set")

    def __delattr__(self, field: str) -> NoReturn:
        raise AttributeError(f"DatabaseUrl is frozen: {field} cannot be deleted")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (*self._values(), self.name)  # copy and pickle would set attributes


_FIELDS = ("user", "password", "hosts", "database", "parameters", "name")


def _host_text(host: str) -> str:
    return f"[{percent_encode(host).replace('%3A', ':')}]" if ":" in host else percent_encode(host)


def _asyncpg_tls(given: dict[str, str]) -> dict[str, Any]:
    """asyncpg's part of TLS.

    asyncpg follows libpq when it is given a mode, and reads certificate files only from a DSN: so the mode goes
    into ``ssl`` and the files into a DSN that holds nothing else. It takes ``system`` for a file's name, hence
    the context.
    """
    if given.get("sslrootcert") == "system":
        return {"ssl": _system_context(given)}
    files = "&".join(f"{key}={percent_encode(given[key])}" for key in _TLS_FILES if key in given)
    found: dict[str, Any] = {"dsn": f"postgresql://?{files}"} if files else {}
    return found | ({"ssl": given["sslmode"]} if "sslmode" in given else {})


def _system_context(given: dict[str, str]) -> SSLContext:
    import ssl  # 10 ms that only this needs

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_default_verify_paths()  # what libpq calls: the same two variables and folders of OpenSSL
    if "sslcert" in given:
        context.load_cert_chain(given["sslcert"], given.get("sslkey"), password="")
    if "sslcrl" in given:
        context.load_verify_locations(given["sslcrl"])
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    if ssl.HAS_ALPN:
        context.set_alpn_protocols(["postgresql"])
    return context
