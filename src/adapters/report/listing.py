"""The reports as the catalogue lists them: one query, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.errors import ReportNotFound
from ...domain.mode import Mode
from ...domain.report import Report, is_report_name
from .rows import LEDGER_COLUMNS, columns, publication


async def found_report(connection: Any, report: str) -> Mapping[str, Any]:
    """The row of :data:`REPORTS` about this report; raises :class:`ReportNotFound` with the nearest names."""
    if is_report_name(report):  # what cannot be one may not even be text that the server takes
        rows: list[Mapping[str, Any]] = await connection.fetch(REPORTS, report)
        if rows:
            return rows[0]
    import difflib

    names = [row["name"] for row in await connection.fetch("SELECT name FROM kubescribe.report ORDER BY name")]
    raise ReportNotFound(report, tuple(difflib.get_close_matches(report[:100], names, n=3)))


def report_of(row: Mapping[str, Any]) -> Report:
    """The report, from a row of :data:`REPORTS`."""
    return Report(
        name=row["name"],
        relation=f"{row['schema_name']}.{row['name']}",
        columns=columns(row["columns"]),
        mode=Mode(row["report_mode"]),
        current=publication(row),
        versions=tuple(row["versions"]),
    )


# The columns and the key are those of the version that is shown.
REPORTS = f"""
SELECT r.name, r.schema_name, r.columns, r.mode AS report_mode, coalesce(s.spec -> 'key', r.key) AS key, p.*,
       CASE r.mode
         WHEN 'replace' THEN ARRAY (
           SELECT k.version FROM kubescribe.staged k JOIN kubescribe.publication kp
             ON kp.version = k.version AND kp.report = k.report AND kp.kind = 'publish'
           WHERE k.report = r.name AND k.condemned_at IS NULL AND kp.generation = r.generation ORDER BY kp.id DESC)
         WHEN 'append' THEN ARRAY (
           SELECT a.version FROM kubescribe.publication a
           WHERE a.report = r.name AND a.kind = 'publish' AND a.generation = r.generation AND NOT EXISTS (
             -- taken back: a later rollback went to an earlier publication
             SELECT FROM kubescribe.publication b JOIN kubescribe.publication t
               ON t.report = b.report AND t.version = b.version AND t.kind = 'publish'
             WHERE b.report = a.report AND b.kind = 'rollback' AND b.id > a.id AND t.id < a.id)
           ORDER BY a.id DESC)
         ELSE ARRAY[p.version] END AS versions
FROM kubescribe.report r
JOIN LATERAL (
  SELECT {LEDGER_COLUMNS} FROM kubescribe.publication WHERE report = r.name ORDER BY id DESC LIMIT 1) p ON true
LEFT JOIN kubescribe.staged s ON s.version = p.version
WHERE $1::text IS NULL OR r.name = $1
ORDER BY r.name COLLATE "C"
"""  # noqa: S608
