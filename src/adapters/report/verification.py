"""Counting and summing up what readers are shown, beside what the ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.checksum import Checksum
from ...domain.report import Publication
from ...domain.verification import Verification
from .names import qualified, quoted
from .row_sums import SETTINGS, gone, sums
from .rows import columns, publication
from .shaping import table_columns


async def verify(connection: Any, found: Mapping[str, Any]) -> Verification:
    """Inside the caller's transaction, which sees one moment. ``found``: the report and its last ledger row."""
    last = publication(found)
    shown = await connection.fetchrow(_SHOWN, found["name"], found["generation"])
    expected = shown["base"] if last.mode.in_place else last.version
    table = None if shown["table_name"] is None else qualified(shown["schema_name"], shown["table_name"])
    if table is None or await connection.fetchval("SELECT to_regclass($1)", table) is None:
        what = f"the table of version {shown['version']}, which readers are shown, is gone"
        return _verification(last, shown["version"], expected, rows=0, checksum="", problem=what)
    await connection.execute(SETTINGS)
    if last.mode.in_place:
        names = [column.name for column in columns(found["columns"])]
        now = gone(await connection.fetchrow(sums(names, table)))
        return _verification(last, shown["version"], expected, rows=now.rows, checksum=str(now.sum))
    try:
        checksum = Checksum.like(last.checksum)
    except ValueError as error:
        return _verification(last, shown["version"], expected, rows=0, checksum="", problem=str(error))
    names = [column.name for column in columns(shown["columns"])]
    later = [name for name in await table_columns(connection, table) if name not in names]
    any_later = f"num_nonnulls({', '.join(map(quoted, later))}) > 0" if later else "false"
    count, strangers = await connection.fetchrow(
        f"SELECT count(*), count(*) FILTER (WHERE {any_later}) FROM {table}"  # noqa: S608 - quoted
    )
    held = await _digest(connection, f"SELECT {', '.join(map(quoted, names))} FROM {table}", checksum)  # noqa: S608 - quoted
    return _verification(last, shown["version"], expected, rows=count, checksum=held, strangers=strangers)


def _verification(last: Publication, version: int, expected_version: int, **found: Any) -> Verification:
    return Verification(
        report=last.report,
        publication=last,
        version=version,
        expected_version=expected_version,
        expected_rows=last.shown,
        expected_checksum=last.content or last.checksum,
        **found,
    )


async def _digest(connection: Any, query: str, checksum: Checksum) -> str:
    """As the worker made it when it had staged the rows: over the binary COPY in load order."""

    async def update(block: bytes) -> None:
        checksum.update(block)

    await connection.execute("SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0")
    await connection.copy_from_query(query, output=update, format="binary")
    return str(checksum)


# Where rows change in place, the report stays in the table of its generation's first publication.
_SHOWN = """
SELECT c.version, s.schema_name, s.table_name, s.columns,
       (SELECT p.version FROM kubescribe.publication p
        WHERE p.report = $1 AND p.generation = $2 ORDER BY p.id LIMIT 1) AS base
FROM kubescribe.current c LEFT JOIN kubescribe.staged s ON s.version = c.version WHERE c.report = $1
"""
