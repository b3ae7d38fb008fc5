"""Showing a report again as it was: pointing back at a version, or taking appended rows out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from ...application.report_account import Gone, account_of_removal, in_effect
from ...application.report_columns import RUN_COLUMN
from ...domain.errors import RollbackRefused, VersionNotKept
from ...domain.mode import Mode
from ...domain.report import Publication, Rollback, slot_guard
from . import ledger
from .names import qualified
from .row_sums import SETTINGS, gone, sums
from .rows import LEDGER_COLUMNS, columns, publication


async def roll_back(
    connection: Any, found: Mapping[str, Any], *, to: int | None, rollback_id: UUID, actor: str, reason: str | None
) -> Publication:
    """Inside the caller's transaction, which has locked the report. ``found``: the report with its ``versions``."""
    report, mode = found["name"], Mode(found["report_mode"])
    if mode in (Mode.MERGE, Mode.REPLACE_PARTITION):
        raise RollbackRefused(report, mode)
    target = _target(report, to, found["version"], tuple(found["versions"]))
    if target == found["version"]:
        return publication(found)
    pointer = target
    figures: tuple[object, ...] = ()
    if mode is Mode.APPEND:
        before = (await ledger.last_rows(connection, [report]))[report]
        pointer, left = await _take_out(connection, found, target)
        account = account_of_removal(before, left)
        figures = (account.inserted, account.updated, account.deleted, account.total, account.content)
    statement = _IN_PLACE if figures else _POINTED
    written = await connection.fetchrow(statement, report, target, rollback_id, actor, reason, *figures)
    slots = await connection.fetch(_SLOTS, report)
    await connection.execute(_POINT, report, pointer, slot_guard(map(tuple, slots), target))
    return publication(written)


async def rollbacks(connection: Any, within: timedelta, rollback_id: UUID | None) -> tuple[Rollback, ...]:
    """The rollbacks of this last time, oldest first."""
    found = []
    for row in await connection.fetch(_RECENT, within, rollback_id):
        before = await connection.fetchrow(_BEFORE, row["report"], row["id"])
        found.append(Rollback(before=publication(before), after=publication(row)))
    return tuple(found)


def _target(report: str, to: int | None, current: int, kept: tuple[int, ...]) -> int:
    """The version to show. ``kept`` has the newest first."""
    if to is not None:
        if to not in kept:
            raise VersionNotKept(report, to, kept)
        return to
    earlier = kept[kept.index(current) + 1 :] if current in kept else ()
    if not earlier:
        raise VersionNotKept(report, None, kept)
    return earlier[0]


async def _take_out(connection: Any, found: Mapping[str, Any], target: int) -> tuple[int, Gone]:
    """Delete the rows of every publication after the target; the version that holds the others, and what went."""
    rows = await connection.fetch(_HISTORY, found["name"], found["generation"])
    effective = in_effect(publication(row) for row in rows)
    place = [row.version for row in effective].index(target)
    runs = [row.run_id for row in effective[place + 1 :]]
    base = await connection.fetchrow(_BASE, found["name"])
    names = [column.name for column in columns(found["columns"])]
    await connection.execute(SETTINGS)
    row = await connection.fetchrow(
        f"WITH gone AS (DELETE FROM {qualified(base['schema_name'], base['table_name'])} "  # noqa: S608 - quoted
        f"WHERE {RUN_COLUMN} = ANY ($1) RETURNING *) {sums(names, 'gone')}",
        runs,
    )
    return base["version"], gone(row)


_HISTORY = (
    f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE report = $1 AND generation = $2 ORDER BY id"
)
_BASE = """
SELECT c.version, s.schema_name, s.table_name
FROM kubescribe.current c JOIN kubescribe.staged s ON s.version = c.version WHERE c.report = $1
"""
_RECENT = f"""
SELECT {LEDGER_COLUMNS}, id FROM kubescribe.publication
WHERE kind = 'rollback' AND published_at > clock_timestamp() - $1::interval AND ($2::uuid IS NULL OR run_id = $2)
ORDER BY published_at, id
"""  # noqa: S608
_BEFORE = (
    f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE report = $1 AND id < $2 ORDER BY id DESC LIMIT 1"
)
_COMMON = "report, version, mode, generation, rows, checksum, fingerprint, slot"
_POINTED = f"""
INSERT INTO kubescribe.publication ({_COMMON}, run_id, kind, actor, reason, total)
SELECT {_COMMON}, $3, 'rollback', $4, $5, total
FROM kubescribe.publication WHERE report = $1 AND version = $2 AND kind = 'publish'
RETURNING {LEDGER_COLUMNS}
"""  # noqa: S608
_IN_PLACE = f"""
INSERT INTO kubescribe.publication
  ({_COMMON}, run_id, kind, actor, reason, inserted, updated, deleted, total, content)
SELECT {_COMMON}, $3, 'rollback', $4, $5, $6, $7, $8, $9, $10
FROM kubescribe.publication WHERE report = $1 AND version = $2 AND kind = 'publish'
RETURNING {LEDGER_COLUMNS}
"""  # noqa: S608
_SLOTS = "SELECT kind, version, slot FROM kubescribe.publication WHERE report = $1 ORDER BY id"
_POINT = "UPDATE kubescribe.current SET version = $2, slot = $3 WHERE report = $1"
