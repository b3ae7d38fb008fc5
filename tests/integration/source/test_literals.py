"""Hostile values as literals on real servers: they come back as they went, and nothing else happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.support.clusters import Cluster

from kubescribe.adapters.source.copy_rows import CopyRows
from kubescribe.adapters.source.literals import literal
from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import KubescribeError, QueryFailed

pytestmark = pytest.mark.integration

CORPUS = [
    "",
    "'",
    "''",
    "'''",
    "\\",
    "\\\\",
    "\\'",
    "\\''",
    "'\\",
    "\\' OR true; DROP TABLE victim; --",
    "'; DROP TABLE victim; --",
    "' || (SELECT pg_terminate_backend(pg_backend_pid()))::text || '",
    ") TO STDOUT; DROP TABLE victim; --",
    "\n) TO PROGRAM 'touch /tmp/owned",
    "$$",
    "$q$",
    "$1",
    "$1$",
    "$$; DROP TABLE victim; $$",
    "E'\\047'",
    "U&'\\0027'",
    "U&'!0027' UESCAPE '!'",
    "\\u0027",
    "\\x27",
    "\\047",
    "N'x'",
    "B'1'",
    "X'27'",
    "--",
    "-- '",
    "/*",
    "*/",
    "/* ' */ /*",
    "#",
    ";",
    ";;",
    "%",
    "%s",
    "%%",
    "%(name)s",
    ":x",
    "::text",
    ":'x'",
    ':"x"',
    "?",
    "{0}",
    "{}",
    '{"a"}',
    "\n",
    "\r",
    "\r\n'",
    "\t",
    "\b\f\v\x1a\x1b\x7f",
    "\x01\x1f",
    "\\.",
    "\\N",
    "NULL",
    "'\u200b'",
    "\u2019\u02bc\uff07",  # what some encodings turn into a quote
    "\u00bf'\u00bf\\",
    "\u8868\\'",  # 0x5C is the second byte of it in Shift-JIS
    "\u4e57'\\",
    "é'\u0301",
    "😀'👩‍👩‍👧",
    "\u202e'; --",
    "\ufeff'",
    "\ufffe\uffff",
    "\U0010ffff'",
    "'" * 1000,
    "\\" * 1001 + "'",
    "é'\\" * 300_000,
]
SETTINGS = [
    {},
    {"standard_conforming_strings": "off", "backslash_quote": "on", "escape_string_warning": "on"},
    {"client_encoding": "LATIN1"},
    {"client_encoding": "SJIS"},
    {"client_encoding": "SQL_ASCII", "standard_conforming_strings": "off"},
    {"quote_all_identifiers": "on", "transform_null_equals": "on", "search_path": "evil, pg_catalog, public"},
    {"datestyle": "German, DMY", "intervalstyle": "sql_standard", "bytea_output": "escape", "lc_monetary": "C"},
]
"""What an administrator may have set for the role, and a user in the environment."""
EVIL = """
DROP TABLE IF EXISTS victim; CREATE TABLE victim (id int); INSERT INTO victim VALUES (1);
CREATE SCHEMA IF NOT EXISTS evil;
CREATE OR REPLACE FUNCTION evil.text(text) RETURNS text LANGUAGE sql AS $$ SELECT 'replaced' $$
"""
OTHERS: list[tuple[Any, str]] = [
    (-5, "SELECT 1 -:x AS x"),
    (Decimal("-0.10"), "SELECT 1 -:x AS x"),
    (dt.date(1, 1, 1), "SELECT :x AS x"),
    (dt.datetime(2013, 2, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))), "SELECT :x AS x"),
    (dt.timedelta(days=-1, seconds=1), "SELECT CAST(:x AS text) AS x"),
    (b"\x00'\\\xff", "SELECT :x AS x"),
    (UUID(int=1), "SELECT :x AS x"),
    (["'", "\\", "{", "}", ",", '"', "NULL", None, ""], "SELECT CAST(:x AS text[]) AS x"),
    ([b"\x00'", b"\\"], "SELECT array_length(:x, 1) AS x"),
]


@pytest.fixture(params=["UTF8", "LATIN1", "EUC_JP", "SQL_ASCII"], scope="module")
def database(request: pytest.FixtureRequest, server: Cluster) -> Iterator[str]:
    """Databases that keep text in one encoding or another."""
    name = f"literals_{request.param.lower()}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        provider = "LOCALE_PROVIDER libc LOCALE 'C'" if connection.info.server_version >= 150000 else "LOCALE 'C'"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}' {provider}".encode())
    url = server.url(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(EVIL)
    yield url
    server.drop_database(name)


@pytest.fixture(params=SETTINGS, ids=lambda settings: ",".join(settings) or "none")
def source(
    request: pytest.FixtureRequest, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[PostgresSource, psycopg.Connection[Any]]]:
    with psycopg.connect(database, autocommit=True, client_encoding="UTF8") as admin:
        for name, value in request.param.items():
            if name == "client_encoding":  # of the user's environment; not every database can be given it by default
                monkeypatch.setenv("PGCLIENTENCODING", value)
                continue
            written = value if "," in value else f"'{value}'"
            admin.execute(f"ALTER DATABASE {admin.info.dbname} SET {name} = {written}".encode())
        source = PostgresSource(database, application_name="ks:literals")
        yield source, admin
        source.done()
        admin.execute(f"ALTER DATABASE {admin.info.dbname} RESET ALL".encode())


def representable(admin: psycopg.Connection[Any], text: str) -> bool:
    try:
        admin.execute("SELECT %s::text", (text,), prepare=False)
    except psycopg.errors.DataError:
        return False
    return True


def test_they_come_back_as_they_went(source: tuple[PostgresSource, psycopg.Connection[Any]]) -> None:
    reader, admin = source
    kept = [text for text in CORPUS if representable(admin, text)]
    assert len(kept) >= 55
    binds = {f"x{n}": text for n, text in enumerate(kept)}
    query = "SELECT " + ", ".join(f":x{n} AS c{n}, length(:x{n}) AS n{n}" for n in range(len(kept)))
    reading = reader.read(query, binds, name="q", batch=None)
    assert isinstance(reading._rows_by, CopyRows)  # type: ignore[attr-defined]
    ((row,),) = ([frame.row(0) for frame in reading],)
    assert list(row[::2]) == kept
    octets = admin.info.dbname.endswith("sql_ascii")
    assert list(row[1::2]) == [len(text.encode()) if octets else len(text) for text in kept]
    relay = reader.relay(f"SELECT {', '.join(f':x{n} AS c{n}' for n in range(len(kept)))}", binds, name="q")
    content = b"".join(bytes(block) for block in relay)
    assert all(text.encode() in content for text in kept)
    assert admin.execute("SELECT * FROM victim").fetchall() == [(1,)]
    for text in set(CORPUS) - set(kept):
        with pytest.raises(QueryFailed, match="has no equivalent in encoding"):
            list(reader.read("SELECT :x AS x", {"x": text}, name="q", batch=None))


@pytest.mark.parametrize(("value", "query"), OTHERS)
def test_other_values_mean_what_they_mean_to_psycopg(
    source: tuple[PostgresSource, psycopg.Connection[Any]], value: Any, query: str
) -> None:
    reader, admin = source
    admin.execute("SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; SET datestyle = 'ISO'")
    ((found,),) = (list(reader.read(query, {"x": value}, name="q", batch=None)),)
    cursor = admin.cursor()
    (expected,) = cursor.execute(query.replace(":x", "%s").encode(), (value,)).fetchone() or (None,)
    got = found.item()
    if isinstance(expected, list):
        (got,) = cursor.execute("SELECT %s::text[]", (got,)).fetchone() or (None,)
    assert got == (str(expected) if isinstance(expected, UUID) else expected)


@pytest.mark.parametrize("text", ["a\0b", "\0", "a\ud800", "\udc27"])
def test_what_no_text_can_hold_is_refused_before_it_is_sent(server: Cluster, text: str) -> None:
    source = PostgresSource(server.url("postgres"), application_name="ks:literals")
    for ask in (
        lambda: source.read("SELECT :x AS x", {"x": text}, name="q", batch=None),
        lambda: source.relay("SELECT :x AS x", {"x": text}, name="q"),
        lambda: source.read("SELECT x FROM unnest(:x) x", {"x": ["a", text]}, name="q", batch=None),
    ):
        with pytest.raises(KubescribeError, match="which no PostgreSQL text can hold"):
            ask()
    source.done()


@pytest.mark.parametrize("off", [False, True])
def test_a_literal_by_itself_is_one_value(server: Cluster, off: bool) -> None:
    """Of the function that makes them all, without whatever else a read does."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("SET standard_conforming_strings = on")
        texts = [*CORPUS, None]
        written = [literal(None if text is None else text.encode(), "text") for text in texts]
        found = connection.execute(f"SELECT {', '.join(written)}".encode()).fetchone()
        assert found is not None
        assert list(found) == texts
        if off:  # this is why every session turns it on
            connection.execute("SET standard_conforming_strings = off")
            backslash = b"\\"
            with pytest.raises(psycopg.Error):
                connection.execute(f"SELECT {literal(backslash, 'text')}".encode())
