"""The ledger of slots, with asyncpg alone: a look every few seconds has to cost next to nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from ...application.failpoints import failpoint
from ...application.ports.slots import (
    ComeRun,
    Decision,
    Key,
    OpenSlot,
    OpenSlots,
    Planned,
    Plans,
    PlanSource,
    SlotFilter,
    SlotPage,
    SlotPlan,
)
from ...domain.failure import FailureCause, SkipReason
from ...domain.pause import Pause, was_paused
from ...domain.run_status import RunStatus
from ...domain.slot import Slot, SlotReason, SlotVerdict, decided_event
from ...domain.slot_verdict import SlotRun
from ...domain.storable import storable
from .rows import decode_json, encode_json, event_row
from .session import Session

_NOW = "SELECT clock_timestamp()"
_PLANS = "SELECT tenant, pipeline, source, rule, planned_until FROM public.slot_plan"
_KEEP_PLAN = """
INSERT INTO public.slot_plan AS kept (tenant, pipeline, source, rule, planned_until)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS new (t, p, s, r, u)
ORDER BY t, p
ON CONFLICT (tenant, pipeline) DO UPDATE
SET source = excluded.source, rule = excluded.rule, planned_until = excluded.planned_until
"""
_DROP_AHEAD = """
DELETE FROM public.slot USING unnest($1::text[], $2::text[]) AS changed (t, p)
WHERE tenant = t AND pipeline = p AND at > now() AND verdict IS NULL
"""
_DROP_PLAN = """
DELETE FROM public.slot_plan USING unnest($1::text[], $2::text[]) AS gone (t, p) WHERE tenant = t AND pipeline = p
"""
_ADD = """
INSERT INTO public.slot (id, tenant, pipeline, logical, at, window_ends, oddity, expected)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                     $7::text[], $8::boolean[])
ON CONFLICT DO NOTHING
"""
_SLOT = "slot.id, slot.tenant, slot.pipeline, logical, slot.at, window_ends, oddity, expected, verdict, late_by, "
_SLOT += "slot.reason, detail, slot.run_id, decided_at, told"
_RUN = "run.id AS run_id_, run.status AS run_status, run.created_at AS run_created_at, run.cause AS run_cause, "
_RUN += "run.started_at AS run_started_at, run.skip_reason AS run_skip_reason, run.message AS run_message"
_ITS_RUN = """
SELECT id, status, created_at, started_at, cause, skip_reason, message FROM public.run
WHERE run.tenant = {0}.tenant AND run.pipeline = {0}.pipeline AND run.slot = {0}.at AND run.mode = 'publish'
ORDER BY started_at IS NULL, started_at, created_at DESC, id LIMIT 1
"""
_RESUMED = """
SELECT event.data, event.before, event.at FROM public.event
WHERE event.tenant = slot.tenant AND event.subject = 'pipeline:' || slot.pipeline AND event.run_id IS NULL
  AND event.kind = 'pipeline.resumed' AND event.at >= slot.at AND run.id IS NULL AND pause.since IS NULL
  AND (event.data ->> 'paused_since')::timestamptz <= slot.at
ORDER BY seq LIMIT 1
"""
# The newest few that were made before: one that works through a window is among them.
_BESIDE = """
SELECT id FROM (
    SELECT id, started_at, finished_at FROM public.run AS other
    WHERE run.id IS NULL AND slot.window_ends <= clock_timestamp() AND other.tenant = slot.tenant
      AND other.pipeline = slot.pipeline AND other.created_at <= slot.at AND other.mode = 'publish'
    ORDER BY other.created_at DESC, other.id DESC LIMIT 5) AS newest
WHERE started_at IS NOT NULL AND (finished_at IS NULL OR finished_at >= slot.window_ends) LIMIT 1
"""
# now(), the transaction's beginning: an index cannot be searched for a clock that goes on meanwhile.
_OPEN = f"""
SELECT {_SLOT}, {_RUN}, beside.id AS beside, pause.since AS pause_since,
       pause.actor AS pause_actor, pause.until AS pause_until, pause.reason AS pause_reason, resumed.data AS resumed,
       resumed.before AS resumed_before, resumed.at AS resumed_at
FROM (SELECT * FROM public.slot WHERE verdict IS NULL AND at <= now() ORDER BY at, id LIMIT $1) AS slot
LEFT JOIN LATERAL ({_ITS_RUN.format("slot")}) AS run ON true
LEFT JOIN public.pipeline_pause AS pause ON run.id IS NULL AND pause.tenant = slot.tenant
    AND pause.pipeline = slot.pipeline AND pause.since <= slot.at AND (pause.until IS NULL OR pause.until > slot.at)
LEFT JOIN LATERAL ({_RESUMED}) AS resumed ON true
LEFT JOIN LATERAL ({_BESIDE}) AS beside ON true
ORDER BY slot.at, slot.id
"""  # noqa: S608 - our own names
_COME = f"""
WITH since AS (SELECT clock_timestamp() - make_interval(secs => $1) AS since), come AS (
    SELECT tenant, pipeline, slot AS at, false AS ended FROM public.run
    WHERE slot IS NOT NULL AND created_at > (SELECT since FROM since) AND mode = 'publish'
    UNION
    SELECT tenant, pipeline, slot, true FROM public.run
    WHERE slot IS NOT NULL AND status = 'skipped' AND finished_at > (SELECT since FROM since) AND mode = 'publish'
    UNION
    SELECT run.tenant, run.pipeline, run.slot, false FROM public.slot JOIN public.run ON run.id = slot.run_id
    WHERE slot.verdict = 'missed' AND slot.reason = 'not_started' AND run.slot IS NOT NULL
)
SELECT DISTINCT ON (come.at, come.tenant, come.pipeline) {_SLOT}, {_RUN}, come.tenant AS its_tenant,
       come.pipeline AS its_pipeline, come.at AS its_at
FROM come
LEFT JOIN LATERAL (
    SELECT * FROM public.slot AS one
    WHERE one.tenant = come.tenant AND one.pipeline = come.pipeline AND one.at = come.at
    ORDER BY expected DESC, id LIMIT 1) AS slot ON true
JOIN LATERAL ({_ITS_RUN.format("come")}) AS run ON true
WHERE slot.id IS NULL OR slot.verdict IN ('missed', 'skipped') OR (slot.verdict IN ('ran', 'late') AND come.ended)
ORDER BY come.at, come.tenant, come.pipeline LIMIT 1000
"""  # noqa: S608
_DECIDE = f"""
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::double precision[], $5::text[], $6::text[],
                         $7::uuid[]) AS said (its_id, was, became, lateness, why, words, its_run)
)
UPDATE public.slot
SET verdict = became, late_by = lateness, reason = why, detail = words, run_id = its_run,
    decided_at = CASE WHEN became IS NOT NULL THEN clock_timestamp() END
FROM said WHERE id = its_id AND verdict IS NOT DISTINCT FROM was
RETURNING {_SLOT}
"""  # noqa: S608
_EVENTS = """
INSERT INTO public.event (at, subject, kind, actor, tenant, data, before, after)
SELECT clock_timestamp(), * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[],
                                        $7::jsonb[])
"""
_DUE = f"""
SELECT {_SLOT} FROM public.slot
WHERE verdict IS NULL AND expected AND at <= now() AND window_ends > now()
  AND NOT EXISTS (
    SELECT FROM public.pipeline_pause AS pause
    WHERE pause.tenant = slot.tenant AND pause.pipeline = slot.pipeline AND pause.since <= slot.at
      AND (pause.until IS NULL OR pause.until > slot.at))
  AND NOT EXISTS (
    SELECT FROM public.run WHERE run.tenant = slot.tenant AND run.pipeline = slot.pipeline AND run.slot = slot.at
      AND run.mode = 'publish')
ORDER BY at, id LIMIT $1
"""  # noqa: S608


class PostgresSlots:
    """:class:`~kubescribe.application.ports.slots.Slots` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def plans(self) -> Plans:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Plans:
            rows = [_plan(row) for row in await connection.fetch(_PLANS)]
            now: Any = await connection.fetchval(_NOW)
            return Plans(now=now, plans={(one.tenant, one.pipeline): one for one in rows})

        return await self._session.run(work)

    async def plan(self, planned: Sequence[Planned], *, gone: Collection[Key] = (), strays: Sequence[Slot] = ()) -> int:
        """See the port."""
        plans = [one.plan for one in planned]
        slots = [*(slot for one in planned for slot in one.slots), *strays]
        anew = [one for one in planned if one.anew]

        async def work(connection: asyncpg.Connection) -> int:
            if gone:
                await connection.execute(_DROP_AHEAD, *_columns(gone, 2))
                await connection.execute(_DROP_PLAN, *_columns(gone, 2))
            if anew:
                changed = [(one.plan.tenant, one.plan.pipeline) for one in anew]
                await connection.execute(_DROP_AHEAD, *_columns(changed, 2))
            if plans:
                told = [(one.tenant, one.pipeline, str(one.source), one.rule, one.planned_until) for one in plans]
                await connection.execute(_KEEP_PLAN, *_columns(told, 5))
            added = await _add(connection, slots)
            failpoint("slots.planned")
            return added

        return await self._session.run(work)

    async def open(self, *, limit: int = 1000) -> OpenSlots:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> OpenSlots:
            slots = tuple(_open(row) for row in await connection.fetch(_OPEN, limit))
            now: Any = await connection.fetchval(_NOW)
            return OpenSlots(now=now, slots=slots)

        return await self._session.run(work)

    async def come(self, within: float) -> tuple[ComeRun, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[ComeRun, ...]:
            return tuple(_come(row) for row in await connection.fetch(_COME, within))

        return await self._session.run(work)

    async def decide(self, decisions: Sequence[Decision]) -> tuple[Slot, ...]:
        """See the port."""
        if not decisions:
            return ()
        kept = storable(tuple(decisions))
        said = [
            (
                one.slot.id,
                _text(one.slot.verdict),
                _text(one.after.verdict),
                one.after.late_by,
                _text(one.after.reason),
                one.after.detail,
                one.after.run_id,
            )
            for one in kept
        ]
        by_id = {one.slot.id: one for one in kept}

        async def work(connection: asyncpg.Connection) -> tuple[Slot, ...]:
            changed = [_slot(row) for row in await connection.fetch(_DECIDE, *_columns(said, 7))]
            events = [
                event_row(decided_event(before.slot, before.after, after.at))
                for after in changed
                for before in (by_id[after.id],)
            ]
            if events:
                told = [
                    (
                        *(row[name] for name in ("subject", "kind", "actor", "tenant")),
                        *(
                            None if row[name] is None else encode_json(row[name])
                            for name in ("data", "before", "after")
                        ),
                    )
                    for row in events
                ]
                await connection.execute(_EVENTS, *_columns(told, 7))
            failpoint("slots.decided")
            return tuple(sorted(changed, key=lambda one: (one.at, one.id)))

        return await self._session.run(work)

    async def due(self, *, limit: int = 100) -> tuple[Slot, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Slot, ...]:
            return tuple(_slot(row) for row in await connection.fetch(_DUE, limit))

        return await self._session.run(work)

    async def find(self, which: SlotFilter, *, limit: int = 50, after: tuple[datetime, UUID] | None = None) -> SlotPage:
        """See the port."""
        limit = max(1, limit)
        query, values = page_query(storable(which), limit, after)

        async def work(connection: asyncpg.Connection) -> SlotPage:
            slots = [_slot(row) for row in await connection.fetch(query, *values)]
            more, slots = len(slots) > limit, slots[:limit]
            return SlotPage(slots=tuple(slots), next=(slots[-1].at, slots[-1].id) if more else None)

        return await self._session.run(work)


def page_query(which: SlotFilter, limit: int, after: tuple[datetime, UUID] | None) -> tuple[str, list[Any]]:
    """One row more than the page has, which tells whether another page follows."""
    values: list[Any] = [which.tenant]
    wheres = ["tenant = $1"]

    def where(text: str, *more: Any) -> None:
        wheres.append(text.format(*(f"${len(values) + place}" for place in range(1, len(more) + 1))))
        values.extend(more)

    if which.pipeline is not None:
        where("pipeline = {}", which.pipeline)
    if which.verdicts is not None:
        where("verdict = ANY ({}::text[])", [str(one) for one in which.verdicts])
    if which.since is not None:
        where("at >= {}", which.since)
    if which.until is not None:
        where("at < {}", which.until)
    if after is not None:
        where("(at, id) " + ("<" if which.newest_first else ">") + " ({}, {})", *after)
    order = "at DESC, id DESC" if which.newest_first else "at, id"
    values.append(limit + 1)
    return (
        f"SELECT {_SLOT} FROM public.slot WHERE {' AND '.join(wheres)} "  # noqa: S608 - our own names
        f"ORDER BY {order} LIMIT ${len(values)}",
        values,
    )


async def _add(connection: asyncpg.Connection, slots: Sequence[Slot]) -> int:
    if not slots:
        return 0
    rows = [
        (one.id, one.tenant, one.pipeline, one.logical, one.at, one.window_ends, one.oddity, one.expected)
        for one in slots
    ]
    tag = await connection.execute(_ADD, *_columns(rows, 8))
    return int(tag.split(" ")[2])


def _columns(rows: Collection[tuple[Any, ...]], count: int) -> list[list[Any]]:
    """Rows as arrays, one a column: one statement takes any number of them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _plan(row: Mapping[str, Any]) -> SlotPlan:
    return SlotPlan(**{**row, "source": PlanSource(row["source"])})


def _slot(row: Mapping[str, Any]) -> Slot:
    values = {name: row[name] for name in Slot.__struct_fields__}
    return Slot(
        **{
            **values,
            "id": _uuid(values["id"]),
            "run_id": _uuid(values["run_id"]),
            "verdict": None if values["verdict"] is None else SlotVerdict(values["verdict"]),
            "reason": None if values["reason"] is None else SlotReason(values["reason"]),
        }
    )


def _run(row: Mapping[str, Any]) -> SlotRun | None:
    run_id = _uuid(row["run_id_"])
    if run_id is None:
        return None
    return SlotRun(
        id=run_id,
        status=RunStatus(row["run_status"]),
        created_at=row["run_created_at"],
        started_at=row["run_started_at"],
        cause=None if row["run_cause"] is None else FailureCause(row["run_cause"]),
        skip_reason=None if row["run_skip_reason"] is None else SkipReason(row["run_skip_reason"]),
        message=row["run_message"],
    )


def _open(row: Mapping[str, Any]) -> OpenSlot:
    return OpenSlot(slot=_slot(row), run=_run(row), paused=_paused(row), beside=_uuid(row["beside"]))


def _paused(row: Mapping[str, Any]) -> str | None:
    if row["pause_since"] is not None:
        names = {name: row[f"pause_{name}"] for name in ("since", "actor", "until", "reason")}
        return str(Pause(tenant=row["tenant"], pipeline=row["pipeline"], **names))
    if row["resumed"] is not None:
        before = None if row["resumed_before"] is None else decode_json(row["resumed_before"])
        return was_paused(row["pipeline"], decode_json(row["resumed"]), before, row["resumed_at"])
    return None


def _come(row: Mapping[str, Any]) -> ComeRun:
    run = _run(row)
    assert run is not None
    return ComeRun(
        tenant=row["its_tenant"],
        pipeline=row["its_pipeline"],
        at=row["its_at"],
        slot=None if row["id"] is None else _slot(row),
        run=run,
    )


def _uuid(value: UUID | None) -> UUID | None:
    # asyncpg hands out a subclass of its own.
    return None if value is None else UUID(int=value.int)
