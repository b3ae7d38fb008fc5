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
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .rows import decode_json, encode_json, event_row
from .session import Session
from .slot_statements import (
    ADD,
    COME,
    DECIDE,
    DROP_AHEAD,
    DROP_PLAN,
    DUE,
    EVENTS,
    KEEP_PLAN,
    NOW,
    OPEN,
    PLANS,
    page_query,
)


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
            rows = [_plan(row) for row in await connection.fetch(PLANS)]
            now: Any = await connection.fetchval(NOW)
            return Plans(now=now, plans={(one.tenant, one.pipeline): one for one in rows})

        return await self._session.run(work)

    async def plan(self, planned: Sequence[Planned], *, gone: Collection[Key] = (), strays: Sequence[Slot] = ()) -> int:
        """See the port."""
        plans = [one.plan for one in planned]
        slots = [*(slot for one in planned for slot in one.slots), *strays]
        anew = [one for one in planned if one.anew]

        async def work(connection: asyncpg.Connection) -> int:
            if gone:
                await connection.execute(DROP_AHEAD, *_columns(gone, 2))
                await connection.execute(DROP_PLAN, *_columns(gone, 2))
            if anew:
                changed = [(one.plan.tenant, one.plan.pipeline) for one in anew]
                await connection.execute(DROP_AHEAD, *_columns(changed, 2))
            if plans:
                told = [(one.tenant, one.pipeline, str(one.source), one.rule, one.planned_until) for one in plans]
                await connection.execute(KEEP_PLAN, *_columns(told, 5))
            added = await _add(connection, slots)
            failpoint("slots.planned")
            return added

        return await self._session.run(work)

    async def open(self, *, limit: int = 1000) -> OpenSlots:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> OpenSlots:
            slots = tuple(_open(row) for row in await connection.fetch(OPEN, limit))
            now: Any = await connection.fetchval(NOW)
            return OpenSlots(now=now, slots=slots)

        return await self._session.run(work)

    async def come(self, within: float) -> tuple[ComeRun, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[ComeRun, ...]:
            return tuple(_come(row) for row in await connection.fetch(COME, within))

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
            changed = [_slot(row) for row in await connection.fetch(DECIDE, *_columns(said, 7))]
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
                await connection.execute(EVENTS, *_columns(told, 7))
            failpoint("slots.decided")
            return tuple(sorted(changed, key=lambda one: (one.at, one.id)))

        return await self._session.run(work)

    async def due(self, tenant: Tenant = DEFAULT_TENANT, *, gaps: bool = False, limit: int = 100) -> tuple[Slot, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Slot, ...]:
            return tuple(_slot(row) for row in await connection.fetch(DUE, tenant, gaps, limit))

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


async def _add(connection: asyncpg.Connection, slots: Sequence[Slot]) -> int:
    if not slots:
        return 0
    rows = [
        (one.id, one.tenant, one.pipeline, one.logical, one.at, one.window_ends, one.oddity, one.expected)
        for one in slots
    ]
    tag = await connection.execute(ADD, *_columns(rows, 8))
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
