"""Promises and their verdicts, in RunLog, with asyncpg alone: somebody looks at them every few seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from ...application.failpoints import failpoint
from ...application.ports.promises import Held, HeldSince, Standing
from ...domain.incident import IncidentKind
from ...domain.promise import Attainment, Judgement, Promise, RunTimes
from ...domain.run_status import RunStatus
from ...domain.storable import storable
from ...domain.tenant import Tenant
from .session import Session

_KEPT_FOR = 90
"""Days for which a verdict is kept; the sums by day stay."""

_STOPPED = """
WITH stopped AS (
    DELETE FROM public.promise_held AS held USING unnest($2::text[], $3::text[]) AS gone (pipeline, kind)
    WHERE held.tenant = $1 AND held.pipeline = gone.pipeline AND held.kind = gone.kind
    RETURNING held.pipeline, held.kind
), dropped AS (
    DELETE FROM public.promise USING stopped
    WHERE promise.tenant = $1 AND promise.pipeline = stopped.pipeline AND promise.kind = stopped.kind
      AND kept IS NULL
)
SELECT public.incident_mended($1, pipeline, kind, NULL, 1) FROM stopped
"""
_HOLD = """
INSERT INTO public.promise_held (tenant, pipeline, kind, since, looked_at)
SELECT $1, pipeline, kind, clock_timestamp(), clock_timestamp()
FROM unnest($2::text[], $3::text[]) AS made (pipeline, kind) ORDER BY 2, 3
ON CONFLICT DO NOTHING
"""
_HELD = "SELECT pipeline, kind, since, looked_at FROM public.promise_held WHERE tenant = $1 AND pipeline = ANY ($2)"
_OPEN = """
SELECT pipeline, kind, subject, due_at, run_id FROM public.promise
WHERE tenant = $1 AND pipeline = ANY ($2) AND kept IS NULL
  AND (kind <> 'finish_by' OR due_at IS NULL OR due_at <= clock_timestamp() OR pipeline = ANY ($3))
ORDER BY due_at NULLS LAST, subject COLLATE "C"
"""
_BROKEN = """
SELECT pipeline, kind FROM public.incident WHERE tenant = $1 AND status = 'open'
"""
_RUNS = """
SELECT id, pipeline, status, started_at, finished_at FROM public.run
WHERE tenant = $1 AND mode = 'publish' AND id = ANY ($4::uuid[])
UNION
SELECT run.id, run.pipeline, run.status, run.started_at, run.finished_at
FROM unnest($2::text[], $3::timestamptz[]) AS asked (pipeline, since)
JOIN public.run ON run.tenant = $1 AND run.pipeline = asked.pipeline AND run.created_at >= asked.since
  AND run.mode = 'publish'
"""
# After an absence thousands are asked for at once: the runs are read once, not by each slot.
DONE = """
WITH asked AS (
    SELECT * FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS asked (pipeline, slot, place)
), since AS (
    SELECT pipeline, min(slot) AS slot FROM asked GROUP BY pipeline
), told AS (
    SELECT pipeline, slot, place, NULL::timestamptz AS finished_at FROM asked
    UNION ALL
    SELECT run.pipeline, run.slot, NULL, run.finished_at
    FROM since JOIN public.run ON run.tenant = $1 AND run.pipeline = since.pipeline AND run.slot >= since.slot
    WHERE run.slot IS NOT NULL AND run.status = 'succeeded' AND run.mode = 'publish'
), first AS (
    SELECT place, min(finished_at) OVER (PARTITION BY pipeline ORDER BY slot DESC) AS done FROM told
)
SELECT done FROM first WHERE place IS NOT NULL ORDER BY place
"""
_MAKE = """
INSERT INTO public.promise (tenant, pipeline, kind, subject, due_at, run_id)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[])
ON CONFLICT DO NOTHING
"""
_JUDGE = """
WITH said AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::text[])
        AS said (pipeline, kind, subject, due, verdict, words)
), none_any_more AS (
    DELETE FROM public.promise USING said
    WHERE promise.tenant = $1 AND promise.pipeline = said.pipeline AND promise.kind = said.kind
      AND promise.subject = said.subject AND promise.kept IS NULL AND verdict IS NULL
    RETURNING promise.pipeline, promise.kind, promise.subject
), judged AS (
    UPDATE public.promise SET kept = verdict, due_at = due, why = words, judged_at = clock_timestamp()
    FROM said
    WHERE promise.tenant = $1 AND promise.pipeline = said.pipeline AND promise.kind = said.kind
      AND promise.subject = said.subject AND promise.kept IS NULL AND verdict IS NOT NULL
    RETURNING promise.pipeline, promise.kind, promise.subject
)
SELECT * FROM none_any_more UNION ALL SELECT * FROM judged
"""
_COUNT = """
INSERT INTO public.promise_count AS sums (tenant, pipeline, kind, day, kept, promised)
SELECT $1, pipeline, kind, day, count(*) FILTER (WHERE kept), count(*)
FROM unnest($2::text[], $3::text[], $4::date[], $5::boolean[]) AS judged (pipeline, kind, day, kept)
GROUP BY pipeline, kind, day ORDER BY pipeline, kind, day
ON CONFLICT (tenant, pipeline, day, kind) DO UPDATE
SET kept = sums.kept + excluded.kept, promised = sums.promised + excluded.promised
"""
_TROUBLED = "SELECT public.incident_troubled($1, $2, $3, $4, $5, 1)"
_MENDED = """
SELECT public.incident_mended($1, pipeline, kind, NULL, 1)
FROM unnest($2::text[], $3::text[]) AS mended (pipeline, kind)
"""
_LOOKED = """
UPDATE public.promise_held AS held SET looked_at = looked.at
FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS looked (pipeline, kind, at)
WHERE held.tenant = $1 AND held.pipeline = looked.pipeline AND held.kind = looked.kind
  AND (held.looked_at < looked.at OR held.looked_at > clock_timestamp())
"""
_FORGET = """
DELETE FROM public.promise WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM public.promise WHERE kept IS NOT NULL AND judged_at < clock_timestamp() - make_interval(days => $1)
    LIMIT 1000))
"""
_ATTAINMENT = """
SELECT kind, day, kept, promised FROM public.promise_count
WHERE tenant = $1 AND pipeline = $2 AND day >= $3 ORDER BY day, kind COLLATE "C"
"""


class PostgresPromiseBook:
    """:class:`~kubescribe.application.ports.promises.PromiseBook` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def hold(self, tenant: Tenant, made: Mapping[str, Collection[IncidentKind]]) -> Standing:
        """See the port."""
        names = [*made]

        async def work(connection: asyncpg.Connection) -> Standing:
            held = await _held(connection, tenant, names)
            gone = sorted(key for key in held if key[1] not in made[key[0]])
            new = [(name, kind) for name, kinds in made.items() for kind in kinds if (name, kind) not in held]
            if gone:
                await connection.execute(_STOPPED, tenant, *_columns(gone, 2))
            if new:
                await connection.execute(_HOLD, tenant, *_columns(new, 2))
            if gone or new:
                held = await _held(connection, tenant, names)
            now: Any = await connection.fetchval("SELECT clock_timestamp()")
            if not held:
                return Standing(now=now, held={}, open=(), broken=frozenset())
            broken = await connection.fetch(_BROKEN, tenant)
            late = [row["pipeline"] for row in broken if row["kind"] == IncidentKind.FINISH_BY]
            opened = await connection.fetch(_OPEN, tenant, names, late)
            return Standing(
                now=now,
                held=held,
                open=tuple(_promise(tenant, row) for row in opened),
                broken=frozenset((row["pipeline"], IncidentKind(row["kind"])) for row in broken),
            )

        return await self._session.run(work)

    async def runs(
        self, tenant: Tenant, created_from: Mapping[str, datetime], ids: Collection[UUID]
    ) -> tuple[RunTimes, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[RunTimes, ...]:
            rows = await connection.fetch(_RUNS, tenant, [*created_from], [*created_from.values()], [*ids])
            return tuple(_run(row) for row in rows)

        return await self._session.run(work)

    async def done(self, tenant: Tenant, slots: Sequence[tuple[str, datetime]]) -> tuple[datetime | None, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[datetime | None, ...]:
            return tuple(row["done"] for row in await connection.fetch(DONE, tenant, *_columns(slots, 2)))

        return await self._session.run(work)

    async def settle(
        self,
        tenant: Tenant,
        *,
        made: Sequence[Promise],
        judged: Sequence[Judgement],
        mended: Collection[Held],
        looked: Mapping[Held, datetime],
    ) -> tuple[Judgement, ...]:
        """See the port."""
        made, judged = storable(tuple(made)), storable(tuple(judged))
        new = [(one.pipeline, one.kind, one.subject, one.due_at, one.run_id) for one in made]
        by_key = {(one.promise.pipeline, str(one.promise.kind), one.promise.subject): one for one in judged}
        said = [(*key, one.promise.due_at, one.kept, one.why) for key, one in by_key.items()]

        async def work(connection: asyncpg.Connection) -> tuple[Judgement, ...]:
            if new:
                await connection.execute(_MAKE, tenant, *_columns(new, 5))
            found = set()
            if said:
                rows = await connection.fetch(_JUDGE, tenant, *_columns(said, 6))
                found = {(row["pipeline"], row["kind"], row["subject"]) for row in rows}
                failpoint("promises.judged")
            given = tuple(one for key, one in by_key.items() if key in found)
            counted = [(one.promise.pipeline, one.promise.kind, one.day, one.kept) for one in given]
            counted = [one for one in counted if one[3] is not None]
            if counted:
                await connection.execute(_COUNT, tenant, *_columns(counted, 4))
            for one in given:
                if one.kept is False:
                    promise = one.promise
                    told = (promise.pipeline, str(promise.kind), promise.run_id, one.why)
                    await connection.execute(_TROUBLED, tenant, *told)
            if mended:
                await connection.execute(_MENDED, tenant, *_columns(sorted(mended), 2))
            if looked:
                rows_ = [(*key, at) for key, at in sorted(looked.items())]
                await connection.execute(_LOOKED, tenant, *_columns(rows_, 3))
            if given:
                await connection.execute(_FORGET, _KEPT_FOR)
            return given

        return await self._session.run(work)

    async def attainment(self, tenant: Tenant, pipeline: str, *, since: date) -> tuple[Attainment, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Attainment, ...]:
            rows = await connection.fetch(_ATTAINMENT, tenant, pipeline, since)
            return tuple(Attainment(**{**row, "kind": IncidentKind(row["kind"])}) for row in rows)

        return await self._session.run(work)


async def _held(connection: asyncpg.Connection, tenant: Tenant, names: list[str]) -> dict[Held, HeldSince]:
    return {
        (row["pipeline"], IncidentKind(row["kind"])): HeldSince(since=row["since"], looked_at=row["looked_at"])
        for row in await connection.fetch(_HELD, tenant, names)
    }


def _columns(rows: Collection[tuple[Any, ...]], count: int) -> list[list[Any]]:
    """Rows as arrays, one a column: one statement takes any number of them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]


def _promise(tenant: Tenant, row: Mapping[str, Any]) -> Promise:
    return Promise(
        tenant=tenant,
        pipeline=row["pipeline"],
        kind=IncidentKind(row["kind"]),
        subject=row["subject"],
        due_at=row["due_at"],
        run_id=None if row["run_id"] is None else UUID(int=row["run_id"].int),
    )


def _run(row: Mapping[str, Any]) -> RunTimes:
    return RunTimes(**{**row, "id": UUID(int=row["id"].int), "status": RunStatus(row["status"])})
