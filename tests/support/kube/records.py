"""What the databases say of a run, beside what the ports show; and time that passes."""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

import psycopg

from .world import ClusterWorld


def published(world: ClusterWorld, run_id: UUID) -> list[UUID]:
    """The attempts, which are pods' UIDs, that have put the run into the ledger: once for each report."""
    query = "SELECT attempt_id FROM kubescribe.publication WHERE run_id = %s AND kind = 'publish' ORDER BY id"
    with psycopg.connect(world.environ["REPORT_DB_URL"]) as connection:
        return [row[0] for row in connection.execute(query, [run_id])]


def lease_over(world: ClusterWorld, run_id: UUID) -> None:
    """Let the lease of its newest attempt have ended a second ago."""
    _change(
        world,
        "UPDATE attempt SET lease_until = clock_timestamp() - interval '1 second' FROM run "
        "WHERE run.id = %s AND attempt.id = run.attempt_id",
        run_id,
    )


def past_run_deadline(world: ClusterWorld, run_id: UUID) -> None:
    """Let the run's deadline have been a second ago."""
    _change(world, "UPDATE run SET run_deadline_at = clock_timestamp() - interval '1 second' WHERE id = %s", run_id)


def _change(world: ClusterWorld, statement: LiteralString, run_id: UUID) -> None:
    with psycopg.connect(world.environ["RUNLOG_DB_URL"], autocommit=True) as connection:
        connection.execute(statement, [run_id])
