"""Writing the ledger: one row for each report that a run publishes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ...application.ports.publisher import PublishRequest
from ...application.report_account import Account
from ...domain.report import Publication, Staged
from .rows import LEDGER_COLUMNS, publication


async def published(connection: Any, run_id: UUID) -> tuple[Publication, ...]:
    """What the run has published, by report name."""
    return tuple(publication(row) for row in await connection.fetch(_PUBLISHED, run_id))


async def last_rows(connection: Any, reports: Iterable[str]) -> dict[str, Publication]:
    """The ledger's last row of each report."""
    return {row["report"]: publication(row) for row in await connection.fetch(_LAST, list(reports))}


async def write(
    connection: Any, request: PublishRequest, item: Staged, generation: int, account: Account
) -> Publication:
    """One row; nothing ever changes it."""
    row = await connection.fetchrow(
        _WRITE,
        item.spec.name,
        request.run_id,
        item.version,
        item.spec.mode.value,
        generation,
        request.attempt_id,
        request.fence,
        item.rows,
        account.inserted,
        account.updated,
        account.deleted,
        account.total,
        item.checksum,
        account.content,
        item.fingerprint,
        request.slot,
        request.actor,
    )
    return publication(row)


_PUBLISHED = (
    f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE run_id = $1 AND kind = 'publish' ORDER BY report COLLATE \"C\""
)
_LAST = (
    f"SELECT DISTINCT ON (report) {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE report = ANY ($1) ORDER BY report, id DESC"
)
_WRITE = f"""
INSERT INTO kubescribe.publication
  (report, run_id, version, kind, mode, generation, attempt_id, fence, rows, inserted, updated, deleted, total,
   checksum, content, fingerprint, slot, actor)
VALUES ($1, $2, $3, 'publish', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
RETURNING {LEDGER_COLUMNS}
"""  # noqa: S608
