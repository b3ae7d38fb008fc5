"""asyncpg and psycopg, given the same URL, come to the same verdict on a real server with TLS."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import string
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import asyncpg
import psycopg
import pytest
from psycopg import sql

from kubescribe.domain.database_url import DatabaseUrl

BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("database_url_tls"),
    pytest.mark.skipif(
        BINARIES is None or not shutil.which("openssl"), reason="needs a PostgreSQL with TLS, and openssl"
    ),
]

HBA = """\
local     all postgres  trust
local     all all       scram-sha-256
hostssl   all tls_only  all scram-sha-256
hostnossl all tls_only  all reject
hostnossl all no_tls    all scram-sha-256
hostssl   all no_tls    all reject
hostssl   all with_cert all cert
host      all all       all scram-sha-256
"""
PASSWORD = string.punctuation + " %41%zz ö\N{NO-BREAK SPACE}ﬁ🙂"


class Server(NamedTuple):
    folder: Path
    port: int


def run(*command: str | Path, user: str | None = None) -> None:
    # Without a group of its own the child would keep root's.
    identity = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, **identity
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr + done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path, name: str, subject: str, *extra: str, ca: str = "ca") -> None:
    key, request, made = (folder / f"{name}{end}" for end in (".key", ".csr", ".crt"))
    run(
        "openssl",
        "req",
        "-new",
        "-nodes",
        "-newkey",
        "rsa:2048",
        "-subj",
        f"/CN={subject}",
        *extra,
        "-keyout",
        key,
        "-out",
        request,
    )
    run(
        *("openssl", "x509", "-req", "-in", request, "-copy_extensions", "copy", "-days", "2", "-out", made),
        *("-CA", folder / f"{ca}.crt", "-CAkey", folder / f"{ca}.key", "-CAcreateserial"),
    )
    key.chmod(0o600)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities; the server's certificate, by the first, is for ``localhost`` and not for ``127.0.0.1``."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        run(
            *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"),
        )
    certificate(folder, "server", "server", "-addext", "subjectAltName=DNS:localhost")
    certificate(folder, "client", "with_cert")
    return folder


def serve(certificates: Path, tls: bool) -> Iterator[Server]:
    assert BINARIES is not None
    user = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="ks-tls-", dir="/tmp"))
    server = Server(folder, free_port())
    data = folder / "data"
    if user:
        shutil.chown(folder, user, user)
    try:
        run(
            BINARIES / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "trust",
            "-N",
            user=user,
        )
        (data / "pg_hba.conf").write_text(HBA)
        for name in ("server.key", "server.crt", "ca.crt"):
            shutil.copy(certificates / name, data / name)
            (data / name).chmod(0o600)
            if user:
                shutil.chown(data / name, user, user)
        options = (
            f"-c listen_addresses=localhost -c port={server.port} -c unix_socket_directories={folder} -c fsync=off"
        )
        if tls:
            options += " -c ssl=on -c ssl_ca_file=ca.crt"
        else:  # a hostssl line without TLS is an error of the configuration
            (data / "pg_hba.conf").write_text(
                "\n".join(line for line in HBA.splitlines() if "hostssl" not in line) + "\n"
            )
        run(BINARIES / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start", user=user)
        try:
            with psycopg.connect(host=str(folder), port=server.port, user="postgres", autocommit=True) as admin:
                for role in ("anybody", "tls_only", "no_tls", "with_cert"):
                    admin.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
                    )
            yield server
        finally:
            run(BINARIES / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop", user=user)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(certificates: Path) -> Iterator[Server]:
    yield from serve(certificates, tls=True)


@pytest.fixture(scope="module")
def plain_server(certificates: Path) -> Iterator[Server]:
    yield from serve(certificates, tls=False)


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PG", "SSL_CERT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


QUERY = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
NAMES = {True: "tls", False: "plain", None: "refused"}


async def ask_asyncpg(url: DatabaseUrl) -> bool:
    connection = await asyncpg.connect(**url.for_asyncpg())
    try:
        return bool(await connection.fetchval(QUERY))
    finally:
        await connection.close()


def ask_psycopg(url: DatabaseUrl) -> bool:
    with psycopg.connect(url.for_libpq()) as connection:
        row = connection.execute(QUERY).fetchone()
        assert row
        return bool(row[0])


def verdicts(text: str) -> tuple[str, str]:
    """What each driver came to: tls, plain or refused."""
    url = DatabaseUrl.parse(text)
    by_asyncpg = by_psycopg = None
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        by_asyncpg = asyncio.run(ask_asyncpg(url))
    with suppress(psycopg.OperationalError):
        by_psycopg = ask_psycopg(url)
    return NAMES[by_asyncpg], NAMES[by_psycopg]


def url_text(server: Server, user: str = "anybody", host: str = "localhost", **parameters: str) -> str:
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items())
    return f"postgresql://{user}:{quote(PASSWORD, safe='')}@{host}:{server.port}/postgres?{query}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("authority", ["", "ca.crt", "other.crt", "missing.crt"])
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_certificates(server: Server, certificates: Path, mode: str, authority: str, host: str) -> None:
    parameters: dict[str, str] = {"sslrootcert": str(certificates / authority)} if authority else {}
    if not authority:
        expected = "tls" if mode == "require" else "refused"
    else:
        expected = "tls" if authority == "ca.crt" and (mode != "verify-full" or host == "localhost") else "refused"
    assert verdicts(url_text(server, host=host, sslmode=mode, **parameters)) == (expected, expected)


@pytest.mark.parametrize(
    ("authority", "host", "expected"),
    [("ca.crt", "localhost", "tls"), ("ca.crt", "127.0.0.1", "refused"), ("other.crt", "localhost", "refused")],
)
def test_the_systems_certificates(
    server: Server, certificates: Path, monkeypatch: pytest.MonkeyPatch, authority: str, host: str, expected: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / authority))
    assert verdicts(url_text(server, host=host, sslrootcert="system")) == (expected, expected)


@pytest.mark.parametrize(
    ("mode", "anybody", "tls_only", "no_tls"),
    [
        ("", "tls", "tls", "plain"),
        ("disable", "plain", "refused", "plain"),
        ("allow", "plain", "tls", "plain"),
        ("prefer", "tls", "tls", "plain"),
        ("require", "tls", "tls", "refused"),
    ],
)
def test_modes_on_a_server_with_tls(server: Server, mode: str, anybody: str, tls_only: str, no_tls: str) -> None:
    for user, expected in (("anybody", anybody), ("tls_only", tls_only), ("no_tls", no_tls)):
        assert verdicts(url_text(server, user, sslmode=mode)) == (expected, expected), user


@pytest.mark.parametrize("mode", ["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
def test_modes_on_a_server_without_tls(plain_server: Server, certificates: Path, mode: str) -> None:
    parameters: dict[str, str] = {"sslrootcert": str(certificates / "ca.crt")} if mode.startswith("verify") else {}
    expected = "plain" if mode in ("", "disable", "allow", "prefer") else "refused"
    assert verdicts(url_text(plain_server, sslmode=mode, **parameters)) == (expected, expected)


def test_a_client_certificate_logs_in(server: Server, certificates: Path) -> None:
    files: dict[str, str] = {"sslmode": "verify-full", "sslrootcert": str(certificates / "ca.crt")}
    own: dict[str, str] = {"sslcert": str(certificates / "client.crt"), "sslkey": str(certificates / "client.key")}
    assert verdicts(url_text(server, "with_cert", **files)) == ("refused", "refused")
    assert verdicts(url_text(server, "with_cert", **files, **own)) == ("tls", "tls")


def test_a_socket_has_no_tls_whatever_the_mode(server: Server) -> None:
    login = f"anybody:{quote(PASSWORD, safe='')}"
    for mode in ("disable", "prefer", "require"):
        text = f"postgresql://{login}@/postgres?host={server.folder}&port={server.port}&sslmode={mode}"
        assert verdicts(text) == ("plain", "plain")
    assert verdicts(f"postgresql://{login}@{quote(str(server.folder), safe='')}:{server.port}/postgres") == (
        "plain",
        "plain",
    )


@pytest.mark.parametrize("mode", ["", "require"])
def test_a_dead_first_host_is_passed_over(server: Server, mode: str) -> None:
    text = url_text(server, sslmode=mode).replace("@localhost", f"@127.0.0.1:{free_port()},localhost")
    assert verdicts(text + "&target_session_attrs=read-write") == ("tls", "tls")
    assert verdicts(text + "&target_session_attrs=standby") == ("refused", "refused")


def test_a_silent_first_host_is_passed_over_host_by_host(server: Server) -> None:
    """asyncpg has one timeout for all hosts, so it never comes to the second of them."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = url_text(server, connect_timeout="1").replace("@", f"@127.0.0.1:{silent.getsockname()[1]},")
        first, second = DatabaseUrl.parse(text).each_host()
        with pytest.raises(TimeoutError):
            asyncio.run(ask_asyncpg(first))
        assert asyncio.run(ask_asyncpg(second))
        assert ask_psycopg(DatabaseUrl.parse(text))


def test_settings_reach_the_server(server: Server) -> None:
    names = ("statement_timeout", "search_path", "application_name")
    text = url_text(server, application_name="ks: ü&=", options="-c statement_timeout=1234 -c search_path=a,\\ b")
    query = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    url = DatabaseUrl.parse(text)

    async def ask() -> tuple[str, ...]:
        connection = await asyncpg.connect(**url.for_asyncpg(pooled=True))
        try:
            return tuple(await connection.fetchrow(query))
        finally:
            await connection.close()

    with psycopg.connect(url.for_libpq()) as connection:
        row = connection.execute(query).fetchone()
    assert asyncio.run(ask()) == row
    assert row
    assert row[:2] == ("1234ms", "a, b")


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_a_wrong_password_is_in_no_error(server: Server, mode: str) -> None:
    wrong = PASSWORD[::-1]
    url = DatabaseUrl.parse(url_text(server, sslmode=mode).replace(quote(PASSWORD, safe=""), quote(wrong, safe="")))
    assert url.secrets()[0] == wrong
    with pytest.raises(asyncpg.InvalidPasswordError) as by_asyncpg:
        asyncio.run(ask_asyncpg(url))
    with pytest.raises(psycopg.OperationalError) as by_psycopg:
        ask_psycopg(url)
    for error in (by_asyncpg.value, by_psycopg.value):
        told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
        assert not [secret for secret in (*url.secrets(), repr(wrong)[1:-1]) if secret in told]
