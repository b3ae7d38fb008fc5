"""What people do with an incident."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..domain import incident_handling as handling
from ..domain.incident import Incident, IncidentChange
from ..domain.incident_handling import NOTED, By
from ..domain.storable import storable_text
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.incidents import IncidentRecord, Incidents


class Acknowledge(msgspec.Struct, frozen=True):
    """I look after it."""


class Snooze(msgspec.Struct, frozen=True):
    """Nobody is to be told of it again for a while."""

    until: datetime


class Assign(msgspec.Struct, frozen=True):
    """It is somebody's; None: nobody's."""

    to: str | None


class Note(msgspec.Struct, frozen=True):
    """Something that whoever looks at it should know."""

    text: str


Act = Acknowledge | Snooze | Assign | Note


class HandleIncident:
    """Does one of these. Each is safe to repeat: what is so already leaves no second event."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    async def __call__(
        self,
        incident_id: int,
        act: Act,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Incident:
        """The incident afterwards. ``method``: how it was asked for, as in an event.

        Raises :class:`IncidentNotFound`, :class:`IncidentOver`, :class:`SnoozeRefused` and ``DatabaseUnavailable``.
        """

        def step(record: IncidentRecord, now: datetime) -> IncidentChange | None:
            return _change(record, act, By(actor=actor, at=now, method=method, reason=reason))

        return await self._incidents.handle(incident_id, step, tenant=tenant)


def _change(record: IncidentRecord, act: Act, by: By) -> IncidentChange | None:
    match act:
        case Acknowledge():
            return handling.acknowledged(record.incident, by)
        case Snooze(until):
            return handling.snoozed(record.incident, by, until=until)
        case Assign(to):
            return handling.assigned(record.incident, by, to=to)
        case Note(text):
            kept = storable_text(text[: handling.NOTE_LIMIT])
            notes = {(event.actor, event.reason) for event in record.events if event.kind == NOTED}
            return None if (by.actor, kept) in notes else handling.noted(record.incident, by, text=kept)
