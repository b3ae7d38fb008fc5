"""Promises and their verdicts, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from ...application.ports.promises import Held, HeldSince, Standing
from ...domain.incident import IncidentKind, Trouble
from ...domain.incident import mended as mended_
from ...domain.promise import Attainment, Judgement, Promise, RunTimes
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ...domain.storable import storable
from ...domain.tenant import Tenant
from .database import MemoryRunLogDatabase

_NEVER = datetime.max.replace(tzinfo=UTC)
_Key = tuple[Tenant, str, IncidentKind, str]


class MemoryPromiseBook:
    """:class:`~kubescribe.application.ports.promises.PromiseBook` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database
        self._held: dict[tuple[Tenant, str, IncidentKind], HeldSince] = {}
        self._open: dict[_Key, Promise] = {}
        self._judged: set[_Key] = set()
        self._kept: Counter[tuple[Tenant, str, IncidentKind, date]] = Counter()
        self._promised: Counter[tuple[Tenant, str, IncidentKind, date]] = Counter()

    async def hold(self, tenant: Tenant, made: Mapping[str, Collection[IncidentKind]]) -> Standing:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            for owner, pipeline, kind in [*self._held]:
                if owner == tenant and kind not in made.get(pipeline, (kind,)):
                    del self._held[owner, pipeline, kind]
                    self._open = {key: one for key, one in self._open.items() if key[:3] != (owner, pipeline, kind)}
                    self._mend(tenant, pipeline, kind)
            for pipeline, kinds in made.items():
                for kind in kinds:
                    self._held.setdefault((tenant, pipeline, kind), HeldSince(since=now, looked_at=now))
            broken = frozenset(
                (one.pipeline, one.kind)
                for one in self._database.incidents.values()
                if one.tenant == tenant and one.is_open
            )
            mine = [
                one
                for one in self._open.values()
                if one.tenant == tenant
                and one.pipeline in made
                and (
                    one.kind is not IncidentKind.FINISH_BY
                    or one.due_at is None
                    or one.due_at <= now
                    or (one.pipeline, one.kind) in broken
                )
            ]
            return Standing(
                now=now,
                held={key[1:]: one for key, one in self._held.items() if key[0] == tenant and key[1] in made},
                open=tuple(sorted(mine, key=lambda one: (one.due_at is None, one.due_at or now, one.subject))),
                broken=broken,
            )

    async def runs(
        self, tenant: Tenant, created_from: Mapping[str, datetime], ids: Collection[UUID]
    ) -> tuple[RunTimes, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(
                RunTimes(
                    id=run.id,
                    pipeline=run.pipeline,
                    status=run.status,
                    started_at=run.started_at,
                    finished_at=run.finished_at,
                )
                for run in self._database.runs.values()
                if run.tenant == tenant
                and run.mode is RunMode.PUBLISH
                and (run.id in ids or run.created_at >= created_from.get(run.pipeline, _NEVER))
            )

    async def done(self, tenant: Tenant, slots: Sequence[tuple[str, datetime]]) -> tuple[datetime | None, ...]:
        """See the port."""
        with self._database.transaction():
            well = [
                run
                for run in self._database.runs.values()
                if run.tenant == tenant and run.status is RunStatus.SUCCEEDED and run.mode is RunMode.PUBLISH
            ]
            return tuple(
                min(
                    (
                        run.finished_at
                        for run in well
                        if run.pipeline == pipeline
                        and run.slot is not None
                        and run.slot >= slot
                        and run.finished_at is not None
                    ),
                    default=None,
                )
                for pipeline, slot in slots
            )

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
        given = []
        with self._database.transaction():
            for promise in storable(tuple(made)):
                if (key := _key(promise)) not in self._judged:
                    self._open.setdefault(key, promise)
            for one in storable(tuple(judged)):
                if self._open.pop(_key(one.promise), None) is None:
                    continue
                given.append(one)
                if one.kept is not None:
                    self._judge(one)
            for pipeline, kind in mended:
                self._mend(tenant, pipeline, kind)
            for (pipeline, kind), at in looked.items():
                held = self._held.get((tenant, pipeline, kind))
                if held is not None and (held.looked_at < at or held.looked_at > self._database.now()):
                    self._held[tenant, pipeline, kind] = msgspec.structs.replace(held, looked_at=at)
        return tuple(given)

    async def attainment(self, tenant: Tenant, pipeline: str, *, since: date) -> tuple[Attainment, ...]:
        """See the port."""
        with self._database.transaction():
            found = [key for key in self._promised if key[:2] == (tenant, pipeline) and key[3] >= since]
            return tuple(
                Attainment(kind=key[2], day=key[3], kept=self._kept[key], promised=self._promised[key])
                for key in sorted(found, key=lambda key: (key[3], key[2]))
            )

    def _judge(self, one: Judgement) -> None:
        promise = one.promise
        self._judged.add(_key(promise))
        counted = (promise.tenant, promise.pipeline, promise.kind, one.day)
        self._promised[counted] += 1
        self._kept[counted] += bool(one.kept)
        if not one.kept:
            trouble = Trouble(
                tenant=promise.tenant,
                pipeline=promise.pipeline,
                kind=promise.kind,
                at=self._database.now(),
                why=one.why,
                run_id=promise.run_id,
            )
            self._database.trouble(trouble)

    def _mend(self, tenant: Tenant, pipeline: str, kind: IncidentKind) -> None:
        newest = self._database.newest_incident(tenant, pipeline, kind)
        self._database.take(mended_(newest, at=self._database.now()))


def _key(promise: Promise) -> _Key:
    return promise.tenant, promise.pipeline, promise.kind, promise.subject
