"""Figures about runs, from what triggers keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

from ...domain.figures import EndedRuns, OpenRuns, RunFigures
from ...domain.run_status import OPEN
from ...domain.week_summary import PipelineWeek
from .session import Session

_ENDED = """
SELECT pipeline, status, cause, sum(runs)::bigint AS runs, sum(seconds) AS seconds,
       (SELECT array_agg(total ORDER BY place) FROM (
          SELECT place, sum(one)::bigint AS total
          FROM public.run_figures AS part, unnest(part.buckets) WITH ORDINALITY AS bucket (one, place)
          WHERE part.tenant = $1 AND (part.pipeline, part.status, part.cause)
                = (whole.pipeline, whole.status, whole.cause)
          GROUP BY place) AS totals) AS buckets
FROM public.run_figures AS whole WHERE tenant = $1
GROUP BY pipeline, status, cause ORDER BY pipeline, status, cause
"""
# How long in its state: since its newest event. Literals, so that the planner takes the partial index on open runs.
_OPEN = """
SELECT run.status, count(*) AS runs,
       coalesce(max(extract(epoch FROM clock_timestamp() - coalesce(newest.at, run.created_at))), 0)::double precision
         AS age,
       coalesce(max(extract(epoch FROM clock_timestamp() - attempt.lease_until) + attempt.lease)
         FILTER (WHERE attempt.ended_at IS NULL), 0)::double precision AS lease_age
FROM public.run
LEFT JOIN public.attempt ON attempt.id = run.attempt_id
LEFT JOIN LATERAL (
    SELECT at FROM public.event WHERE event.run_id = run.id ORDER BY seq DESC LIMIT 1) AS newest ON true
WHERE run.tenant = $1 AND run.status IN ({open})
GROUP BY run.status ORDER BY run.status
""".format(open=", ".join(f"'{status}'" for status in OPEN))  # noqa: S608 - our own names
# Of the newest incident of each pipeline: an older one says what was.
_FAILING = """
SELECT count(*) FROM public.incident AS one
WHERE tenant = $1 AND kind = 'failing' AND bad > 0 AND NOT EXISTS (
    SELECT FROM public.incident AS newer
    WHERE newer.tenant = $1 AND newer.pipeline = one.pipeline AND newer.kind = 'failing' AND newer.id > one.id)
"""
_BETWEEN = """
SELECT pipeline, count(*) AS runs, count(*) FILTER (WHERE status IN ('failed', 'lost')) AS failed,
       count(*) FILTER (WHERE status = 'succeeded') AS succeeded
FROM public.run WHERE tenant = $1 AND created_at >= $2 AND created_at < $3 AND mode = 'publish'
GROUP BY pipeline ORDER BY pipeline
"""


class PostgresRunFigures:
    """:class:`~kubescribe.application.ports.run_figures.RunFigureLog` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def figures(self, tenant: str) -> RunFigures:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> RunFigures:
            ended = await connection.fetch(_ENDED, tenant)
            waiting = await connection.fetch(_OPEN, tenant)
            failing: Any = await connection.fetchval(_FAILING, tenant)
            return RunFigures(
                ended=tuple(EndedRuns(**{**row, "buckets": tuple(row["buckets"])}) for row in map(dict, ended)),
                open=tuple(_open(row) for row in waiting),
                lease_age=max((max(0.0, row["lease_age"]) for row in waiting), default=0.0),
                failing=failing,
            )

        return await self._session.run(work)

    async def between(self, tenant: str, begin: datetime, end: datetime) -> tuple[PipelineWeek, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[PipelineWeek, ...]:
            return tuple(PipelineWeek(**row) for row in await connection.fetch(_BETWEEN, tenant, begin, end))

        return await self._session.run(work)


def _open(row: Mapping[str, Any]) -> OpenRuns:
    return OpenRuns(status=row["status"], runs=row["runs"], age=max(0.0, row["age"]))
