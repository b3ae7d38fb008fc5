"""Dropping versions that nobody can see any more, without ever being in a reader's way.

A version is first condemned (nobody may publish it or point at it from then on), in a transaction that waits for
whoever publishes or rolls back. It is dropped when no reader can be looking at it; until then it stays condemned,
and the next call tries again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ...application.failpoints import failpoint
from .failures import sqlstate
from .names import qualified, versions_parent

_LOCK_MILLISECONDS = 2000
"""For the rows of our own tables, which no reader locks."""

_READER_MILLISECONDS = 100
"""The longest that a reader may have to wait behind us."""

_PATIENCE_MILLISECONDS = 1000
"""For finishing a detach: by then no new reader looks at the partition, so none can wait behind us."""

_LATER = frozenset({"55P03", "57014", "40P01", "42P01", "42809", "55000", "55006", "2BP01"})
"""Locked, timed out, gone or changed meanwhile: somebody reads it, depends on it, or is retiring it too."""


class Retirement:
    """Works on an autocommit connection of asyncpg that is closed afterwards."""

    async def retire(self, connection: Any, report: str, keep: int) -> tuple[int, ...]:
        """Condemn what is not among the newest ``keep`` and not shown, then drop what can go. Returns what went."""
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
            await connection.execute("SELECT FROM kubescribe.report WHERE name = $1 FOR UPDATE", report)
            await connection.execute(_CONDEMN_OLD, report, max(keep, 1))
        oldest = await _oldest_snapshot(connection)
        gone: list[int] = []
        for row in await connection.fetch(_CONDEMNED_OF_REPORT, report):
            replaced_in = row["replaced_in"]
            if replaced_in is not None and oldest is not None and oldest <= replaced_in:
                continue  # a transaction that began before would look for its rows and find none
            if await _drop(connection, row):
                gone.append(row["version"])
        await _drop_old_generations(connection, report)
        return tuple(gone)

    async def discard(self, connection: Any, run_id: UUID, attempt_id: UUID | None) -> None:
        """Condemn and drop what the ledger does not know."""
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
            # a publishing transaction holds this row: afterwards the ledger's answer is final
            await connection.execute("SELECT FROM kubescribe.fence WHERE run_id = $1 FOR UPDATE", run_id)
            await connection.execute(_CONDEMN_UNPUBLISHED, run_id, attempt_id)
        for row in await connection.fetch(_CONDEMNED_OF_RUN, run_id):
            await _drop(connection, row)


async def _drop(connection: Any, row: Mapping[str, Any]) -> bool:
    """Detach and drop one condemned version; False where it cannot go now."""
    table = qualified(row["schema_name"], row["table_name"])
    try:
        if not await _detach(connection, table):
            return False
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {_READER_MILLISECONDS}")
            await connection.execute(f"DROP TABLE IF EXISTS {table}")
            await connection.execute("DELETE FROM kubescribe.staged WHERE version = $1", row["version"])
    except Exception as error:
        if sqlstate(error) not in _LATER:
            raise
        return False
    return True


async def _drop_old_generations(connection: Any, report: str) -> None:
    """Drop the parents of generations that have no version any more."""
    row = await connection.fetchrow("SELECT schema_name, generation FROM kubescribe.report WHERE name = $1", report)
    if row is None:
        return
    for generation in range(1, row["generation"]):
        parent = qualified(row["schema_name"], versions_parent(report, generation))
        if not await connection.fetchval(_IS_EMPTY_PARENT, parent):
            continue
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = {_READER_MILLISECONDS}")
                await connection.execute(f"DROP TABLE {parent}")
        except Exception as error:
            if sqlstate(error) not in _LATER:
                raise


async def _detach(connection: Any, table: str) -> bool:
    parent = await connection.fetchval(_PARENT_OF, table)
    if parent is None:
        return True
    # PostgreSQL allows one unfinished detach for a parent: one that was interrupted comes first, whosever it is
    unfinished = await connection.fetchval(_UNFINISHED, parent)
    if unfinished is not None:
        await _finalize(connection, parent, unfinished)
    if await connection.fetchval(_PARENT_OF, table) is None:
        return True
    await connection.execute(f"SET lock_timeout = {_READER_MILLISECONDS}")
    try:
        await connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {table} CONCURRENTLY")
    except Exception as error:
        if sqlstate(error) != "55P03" or await connection.fetchval(_UNFINISHED, parent) is None:
            raise
        await _finalize(connection, parent, table)
    failpoint("retire.detached")
    return True


async def _finalize(connection: Any, parent: str, table: str) -> None:
    await connection.execute(f"SET lock_timeout = {_PATIENCE_MILLISECONDS}")
    await connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {table} FINALIZE")


async def _oldest_snapshot(connection: Any) -> int | None:
    """The oldest transaction id that some other session's snapshot may not see, in 64 bits; None without any."""
    next_id: int = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    rows = await connection.fetch(_SNAPSHOTS)
    return min((next_id - (next_id - row["xmin"]) % 2**32 for row in rows), default=None)


_CONDEMN_OLD = """
UPDATE kubescribe.staged SET condemned_at = clock_timestamp()
WHERE report = $1 AND condemned_at IS NULL
  AND version IN (
    (SELECT p.version FROM kubescribe.publication p JOIN kubescribe.staged s USING (version)
     WHERE p.report = $1 AND p.kind = 'publish' AND s.condemned_at IS NULL
       AND p.generation = (SELECT generation FROM kubescribe.report WHERE name = $1)
     ORDER BY p.id DESC OFFSET $2)
    UNION ALL
    SELECT version FROM kubescribe.publication
    WHERE report = $1 AND generation < (SELECT generation FROM kubescribe.report WHERE name = $1))
  AND version <> (SELECT version FROM kubescribe.current WHERE report = $1)
"""
_CONDEMN_UNPUBLISHED = """
UPDATE kubescribe.staged s SET condemned_at = clock_timestamp()
WHERE run_id = $1 AND ($2::uuid IS NULL OR attempt_id = $2) AND condemned_at IS NULL
  AND NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.report = s.report AND p.version = s.version)
"""
# ``replaced_in``: the transaction after which the version was not shown any more. Where rows change in place, a version
# is shown until the report is made anew. A ledger that was restored into another cluster holds ids from the future;
# nobody there has ever seen such a version being shown.
_CONDEMNED_OF_REPORT = """
SELECT s.version, s.schema_name, s.table_name, (
         SELECT max(r.replaced_in::text::bigint) FROM (
           SELECT version, CASE mode
                    WHEN 'replace' THEN lead(xact) OVER (ORDER BY id)
                    ELSE (SELECT n.xact FROM kubescribe.publication n
                          WHERE n.report = $1 AND n.generation > p.generation ORDER BY n.id LIMIT 1) END AS replaced_in
           FROM kubescribe.publication p WHERE report = $1) r
         WHERE r.version = s.version AND r.replaced_in < pg_snapshot_xmax(pg_current_snapshot())) AS replaced_in
FROM kubescribe.staged s WHERE s.report = $1 AND s.condemned_at IS NOT NULL ORDER BY s.version
"""
_CONDEMNED_OF_RUN = """
SELECT version, schema_name, table_name FROM kubescribe.staged s
WHERE run_id = $1 AND condemned_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.report = s.report AND p.version = s.version)
ORDER BY version
"""
_PARENT_OF = "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = to_regclass($1)"
_IS_EMPTY_PARENT = """
SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'p')
   AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass($1))
"""
_UNFINISHED = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass($1) AND inhdetachpending
"""
_SNAPSHOTS = """
SELECT backend_xmin::text::bigint AS xmin FROM pg_stat_activity
WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
  AND (datid IS NULL OR datid = (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND backend_type IS DISTINCT FROM 'autovacuum worker'
"""
