"""The chain of events, with asyncpg alone: an idle look every second has to cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ...application.failpoints import failpoint
from ...application.ports.event_chain import UNSEALED_LIMIT, Unsealed
from ...domain.event import Event
from ...domain.event_chain import GENESIS, Anchor, Link, sealed
from .session import Session

# Each tenant from the one before it: a DISTINCT would read every event.
_TENANTS = """
WITH RECURSIVE found AS (
    (SELECT tenant FROM public.event WHERE {which} ORDER BY tenant LIMIT 1)
    UNION ALL
    SELECT (SELECT event.tenant FROM public.event
            WHERE {which} AND event.tenant > found.tenant ORDER BY event.tenant LIMIT 1)
    FROM found WHERE found.tenant IS NOT NULL
)
SELECT tenant FROM found WHERE tenant IS NOT NULL
"""
_UNSEALED_TENANTS = _TENANTS.format(which="position IS NULL")
_ALL_TENANTS = f"{_TENANTS.format(which='position IS NOT NULL')} UNION ({_UNSEALED_TENANTS}) ORDER BY 1"

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('kubescribe.event_chain:' || $1, 0))"
_HEAD = """
SELECT position, digest, clock_timestamp() AS at FROM public.event
WHERE tenant = $1 AND position IS NOT NULL ORDER BY position DESC LIMIT 1
"""
# The table refuses times that Python has no word for; should one be there all the same, it is found, as any edit is.
_FIELDS = "seq, least(greatest(at, '0001-01-02Z'), '9999-12-30Z') AS at, tenant, subject, kind, actor, method, "
_FIELDS += "reason, run_id, before, after, data, position, digest"
_WAITING = f"SELECT {_FIELDS} FROM public.event WHERE tenant = $1 AND position IS NULL ORDER BY seq LIMIT $2"  # noqa: S608
_SEAL = """
UPDATE public.event SET position = seal.position, digest = seal.digest
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS seal (seq, position, digest)
WHERE event.seq = seal.seq AND event.position IS NULL
"""
_LINKS = f"""
SELECT {_FIELDS} FROM public.event
WHERE tenant = $1 AND position IS NOT NULL AND position > $2 ORDER BY position LIMIT $3
"""  # noqa: S608
_UNSEALED = """
SELECT count(*) AS events, min(at) AS oldest,
       coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::double precision AS age
FROM (SELECT at FROM public.event WHERE tenant = $1 AND position IS NULL ORDER BY seq LIMIT $2) AS waiting
"""
_ANCHORS = """
SELECT position, digest, sent_at FROM public.event_anchor WHERE tenant = $1 ORDER BY sent_at DESC LIMIT 1000
"""
_ANCHORED = "INSERT INTO public.event_anchor (tenant, position, digest, sent_to) VALUES ($1, $2, $3, $4)"

_BELOW_ALL = -(2**63)
_EXACT = msgspec.json.Decoder(float_hook=Decimal)


class PostgresEventChain:
    """:class:`~kubescribe.application.ports.event_chain.EventChain` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def tenants(self) -> tuple[str, ...]:
        """See the port."""
        return await self._session.run(lambda connection: _tenants(connection, _ALL_TENANTS))

    async def seal(self, *, limit: int = 1000) -> int:
        """See the port."""
        waiting = await self._session.run(lambda connection: _tenants(connection, _UNSEALED_TENANTS))
        total = 0
        for tenant in waiting:
            total += await self._seal(tenant, limit)
        return total

    async def _seal(self, tenant: str, limit: int) -> int:
        return await self._session.run(lambda connection: _seal(connection, tenant, limit))

    async def links(self, tenant: str, *, after: int | None = None, limit: int = 1000) -> tuple[Link, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Link, ...]:
            rows = await connection.fetch(_LINKS, tenant, _BELOW_ALL if after is None else after, limit)
            return tuple(Link(event=_event(row), position=row["position"], digest=bytes(row["digest"])) for row in rows)

        return await self._session.run(work)

    async def unsealed(self, tenant: str) -> Unsealed:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Unsealed:
            row: Any = await connection.fetchrow(_UNSEALED, tenant, UNSEALED_LIMIT)
            return Unsealed(events=row["events"], oldest=row["oldest"], age=max(0.0, row["age"]))

        return await self._session.run(work)

    async def head(self, tenant: str) -> Anchor | None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Anchor | None:
            row = await connection.fetchrow(_HEAD, tenant)
            return None if row is None else _anchor(tenant, row, row["at"])

        return await self._session.run(work)

    async def anchors(self, tenant: str) -> tuple[Anchor, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Anchor, ...]:
            rows = await connection.fetch(_ANCHORS, tenant)
            return tuple(_anchor(tenant, row, row["sent_at"]) for row in rows)

        return await self._session.run(work)

    async def anchored(self, anchor: Anchor, sent_to: str) -> None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> None:
            await connection.execute(_ANCHORED, anchor.tenant, anchor.position, bytes.fromhex(anchor.digest), sent_to)

        await self._session.run(work)


async def _tenants(connection: asyncpg.Connection, query: str) -> tuple[str, ...]:
    return tuple(row["tenant"] for row in await connection.fetch(query))


async def _seal(connection: asyncpg.Connection, tenant: str, limit: int) -> int:
    # Until the transaction ends nobody else seals for this tenant; what is read after it is held is the newest.
    await connection.execute(_LOCK, tenant)
    head = await connection.fetchrow(_HEAD, tenant)
    events = [_event(row) for row in await connection.fetch(_WAITING, tenant, limit)]
    position, digest = (0, GENESIS) if head is None else (head["position"], bytes(head["digest"]))
    links = sealed(events, position=position, digest=digest)
    failpoint("seal.computed")
    tag = await connection.execute(
        _SEAL,
        [link.event.seq for link in links],
        [link.position for link in links],
        [link.digest for link in links],
    )
    if tag != f"UPDATE {len(links)}":
        raise AssertionError(f"{len(links)} events were to be sealed under the lock, and the answer was {tag}")
    failpoint("seal.written")
    return len(links)


def _event(row: Mapping[str, Any]) -> Event:
    values = {name: row[name] for name in Event.__struct_fields__}
    run_id = values["run_id"]
    decoded = {name: _exact(values[name]) for name in ("before", "after", "data")}
    return Event(**{**values, **decoded, "run_id": None if run_id is None else UUID(int=run_id.int)})


def _exact(text: str | None) -> Any:
    """The JSON value with every digit; the text itself where it is none that a program of ours would write."""
    try:
        return None if text is None else _EXACT.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return text


def _anchor(tenant: str, row: Mapping[str, Any], at: datetime) -> Anchor:
    return Anchor(tenant=tenant, position=row["position"], digest=bytes(row["digest"]).hex(), at=at)
