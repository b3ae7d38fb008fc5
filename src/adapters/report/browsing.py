"""What the catalogue says to somebody who browses: how fresh reports are, and which table has which version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from ...application.ports.report_reader import ReportSummary, ReportVersion
from ...application.row_plan import Choice, Line, choose
from ...domain.errors import VersionGone
from ...domain.mode import Mode
from ...domain.report import Publication
from ...domain.report_query import RowQuery
from .listing import REPORTS, report_of
from .names import qualified
from .rows import LEDGER_COLUMNS, columns, publication

_MOST_KEPT = 100
"""Publications that a summary names: of a report that is appended to there may be thousands."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The table that has a version's rows."""

    version: ReportVersion
    schema: str
    table: str
    """Qualified and quoted."""
    without: tuple[UUID, ...]
    """The runs whose rows in it came later."""
    key: tuple[str, ...]
    unique: bool
    """Whether the key identifies its rows and is never null."""
    row_bytes: int
    """Of a row on average, at least 1."""
    number: int
    """Of the version that the table was staged for."""
    blocks: int
    """Of the table."""
    file: int
    """Another one when the table was rewritten, which moves its rows."""

    def identity(self, located: bool) -> str:
        """What a cursor into the table holds on to; ``located``: it also names places of rows."""
        return f"{self.number}.{self.file}" if located else str(self.number)


async def summaries(connection: Any) -> tuple[ReportSummary, ...]:
    """All reports."""
    return tuple([await summary(connection, row) for row in await connection.fetch(REPORTS, None)])


async def summary(connection: Any, found: Mapping[str, Any]) -> ReportSummary:
    """One report, from its row of :data:`REPORTS`."""
    report = report_of(found)
    rows = await connection.fetch(_KEPT, report.name, list(report.versions[:_MOST_KEPT]), report.current.version)
    by_version = {row["version"]: publication(row) for row in rows}
    age = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - $1)::double precision", report.current.published_at
    )
    slot = await connection.fetchval("SELECT slot FROM kubescribe.current WHERE report = $1", report.name)
    made_by = by_version.get(report.current.version, report.current)
    return ReportSummary(
        report=report,
        key=msgspec.json.decode(found["key"], type=tuple[str, ...]),
        age=max(age, 0.0),
        slot=made_by.slot if report.mode is Mode.REPLACE else slot,
        made_by=made_by,
        kept=tuple(by_version[version] for version in report.versions[:_MOST_KEPT] if version in by_version),
    )


async def source(connection: Any, found: Mapping[str, Any], query: RowQuery, pinned: int | None) -> Source:
    """Where to read what is asked for; ``pinned``: the version of a cursor."""
    report = report_of(found)
    lines = [Line(*row) for row in await connection.fetch(_LINES, report.name)]
    choice = choose(query, report.mode, lines, report.versions, pinned)
    where = await connection.fetchrow(_TABLE, report.name, choice.version, report.mode.in_place)
    if where is None:
        raise VersionGone(report.name, choice.version, "its table is not there")
    return _source(report.mode, found, choice, where, await _made_by(connection, report.name, choice.version))


def _source(
    mode: Mode, found: Mapping[str, Any], choice: Choice, where: Mapping[str, Any], made_by: Publication
) -> Source:
    own = columns(found["columns"] if mode.in_place else where["columns"])
    key = msgspec.json.decode(where["key"], type=tuple[str, ...])
    shown = publication(found).shown if mode in (Mode.MERGE, Mode.REPLACE_PARTITION) else made_by.shown
    return Source(
        version=ReportVersion(
            report=found["name"],
            publication=made_by,
            columns=own,
            state=choice.state,
            fixed=mode in (Mode.REPLACE, Mode.APPEND),
            rows=shown,
        ),
        schema=where["schema_name"],
        table=qualified(where["schema_name"], where["table_name"]),
        without=choice.without,
        key=key,
        unique=bool(key) and mode in (Mode.REPLACE, Mode.MERGE),
        row_bytes=max(1, where["bytes"] // max(1, where["rows"])),
        number=where["version"],
        blocks=where["blocks"],
        file=where["file"],
    )


async def _made_by(connection: Any, report: str, version: int) -> Publication:
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(_KEPT, report, [version], version)
    return publication(rows[0])


_LINES = "SELECT kind, version, run_id, generation FROM kubescribe.publication WHERE report = $1 ORDER BY id"
_KEPT = (
    f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE report = $1 AND kind = 'publish' AND (version = ANY ($2::bigint[]) OR version = $3::bigint) ORDER BY id"
)
# Where rows change in place, they are all in the table of the version that is shown.
_TABLE = """
SELECT s.version, s.schema_name, s.table_name, s.columns, coalesce(s.spec -> 'key', '[]') AS key, s.rows, s.bytes,
       pg_relation_filenode(t.oid)::bigint AS file,
       pg_relation_size(t.oid) / current_setting('block_size')::bigint AS blocks
FROM kubescribe.staged s
JOIN pg_namespace n ON n.nspname = s.schema_name
JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = s.table_name
WHERE s.report = $1 AND s.condemned_at IS NULL AND s.version =
      CASE WHEN $3 THEN (SELECT c.version FROM kubescribe.current c WHERE c.report = $1) ELSE $2::bigint END
"""
