"""What was promised, and which of it was kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from ...domain.incident import IncidentKind
from ...domain.promise import Attainment, Judgement, Promise, RunTimes
from ...domain.tenant import Tenant

Held = tuple[str, IncidentKind]
"""A pipeline, and a kind of promise that it makes."""


SLACK = timedelta(seconds=60)
"""So much is looked at twice: what a transaction wrote that was not over at the last look."""


class HeldSince(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a kind of promise is made."""

    since: datetime
    """What is older was not promised."""
    looked_at: datetime
    """When somebody last looked whether it is kept."""

    def unseen_from(self, now: datetime) -> datetime:
        """What came since then may not have been looked at. Looks that are ahead were by a clock that was set back."""
        return max(self.since, self.looked_at if self.looked_at <= now else now - SLACK)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the promises of a tenant stand, before they are looked at."""

    now: datetime
    """By the database's clock."""
    held: Mapping[Held, HeldSince]
    open: tuple[Promise, ...]
    """Without a verdict, of those pipelines, by when they are due: all that are about runs and reports; of those about
    slots only what is due, or belongs to an incident that is open."""
    broken: frozenset[Held]
    """Of which an incident is open."""


class PromiseBook(Protocol):
    """Promises and their verdicts. Raises ``DatabaseUnavailable``. Right with any number of passes at once."""

    async def hold(self, tenant: Tenant, made: Mapping[str, Collection[IncidentKind]]) -> Standing:
        """Where they stand. ``made``: the kinds of promises that each of these pipelines makes now.

        A kind that one of them has stopped to make goes, its open promises with it, and its incident ends. Nothing is
        said of pipelines that are not named.
        """
        ...

    async def runs(
        self, tenant: Tenant, created_from: Mapping[str, datetime], ids: Collection[UUID]
    ) -> tuple[RunTimes, ...]:
        """Runs that publish, by pipeline those created from that moment on; and those with these ids."""
        ...

    async def done(self, tenant: Tenant, slots: Sequence[tuple[str, datetime]]) -> tuple[datetime | None, ...]:
        """For each pipeline and slot: when a run of this slot or a later one first succeeded."""
        ...

    async def settle(
        self,
        tenant: Tenant,
        *,
        made: Sequence[Promise],
        judged: Sequence[Judgement],
        mended: Collection[Held],
        looked: Mapping[Held, datetime],
    ) -> tuple[Judgement, ...]:
        """Add promises, then give verdicts to those that have none; the verdicts that were given. All or nothing.

        Each that is broken grows or opens its incident in the same transaction; then the incidents of ``mended`` end.
        ``looked``: until when they were looked at. It goes back only where what is kept has not come: the clock was
        ahead.
        """
        ...

    async def attainment(self, tenant: Tenant, pipeline: str, *, since: date) -> tuple[Attainment, ...]:
        """Sums by kind and day, from that day on."""
        ...
