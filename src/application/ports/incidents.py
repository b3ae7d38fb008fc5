"""Incidents: looking at them, and what people do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from ...domain.event import Event
from ...domain.incident import Incident, IncidentChange, IncidentTerms
from ...domain.tenant import DEFAULT_TENANT, Tenant

EVENTS = 500
"""As many events of an incident are read, the newest."""


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents of one tenant; None means any."""

    tenant: Tenant = DEFAULT_TENANT
    open: bool | None = True
    pipeline: str | None = None


class IncidentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, and the events about it in the order of writing, at most the last ``EVENTS``."""

    incident: Incident
    events: tuple[Event, ...]


IncidentStep = Callable[[IncidentRecord, datetime], IncidentChange | None]
"""Given an incident as it is and the database's clock: the step to make, or None; raises what the domain raises."""


class Incidents(Protocol):
    """The incidents of tenants. Raises ``DatabaseUnavailable``.

    How they open, grow and end is no verb: that happens in the transaction of what they are about. One that is pending
    is shown by no verb, and neither is another tenant's.
    """

    async def find(self, which: IncidentFilter, *, limit: int = 50, before: int | None = None) -> tuple[Incident, ...]:
        """At most ``limit``, the greatest number first; of those below ``before``."""
        ...

    async def get(self, incident_id: int, *, tenant: Tenant = DEFAULT_TENANT) -> IncidentRecord:
        """One; raises :class:`IncidentNotFound`."""
        ...

    async def handle(self, incident_id: int, step: IncidentStep, *, tenant: Tenant = DEFAULT_TENANT) -> Incident:
        """Make the step with its event, while nobody else changes the incident; how it is then.

        Raises :class:`IncidentNotFound`, and what the step raises; then nothing has changed.
        """
        ...

    async def tell_late(self) -> int:
        """Make notices of those that came back in their quiet hour and outlast it, of all tenants; how many."""
        ...

    async def tell_missed(self, *, limit: int = 500) -> int:
        """Make the missed slots of all tenants that are not told yet their pipeline's incident; how many there were.

        Each is told in the transaction that says so of the slot. An incident ends where the newest slot of its
        pipeline that has a verdict, and was not skipped, has a run; and where no slots are planned for it any more.
        """
        ...

    async def declare(self, terms: Mapping[str, IncidentTerms], *, tenant: Tenant = DEFAULT_TENANT) -> None:
        """What pipelines, by name, say of their incidents now: it holds from their next verdict on."""
        ...
