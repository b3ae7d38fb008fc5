"""What people do with an incident: see to it, put it off, give it to somebody, write something down.

Each step is safe to repeat: what is so already is no step. None of them ends an incident: only the problem's end does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .errors import IncidentOver, SnoozeRefused
from .event import Event
from .incident import Incident, IncidentChange, subject

NOTE_LIMIT = 4000
"""The most characters of a note."""
NOTED = "incident.noted"
"""The kind of the event that is a note; its text is the event's reason."""


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who does it, how it was asked for, why, and when by the database's clock."""

    actor: str
    at: datetime
    method: str | None = None
    reason: str | None = None


def acknowledged(incident: Incident, by: By) -> IncidentChange | None:
    """Somebody looks after it; the first who says so is kept. Raises :class:`IncidentOver`."""
    _check(incident, "acknowledge")
    if incident.acknowledged_at is not None:
        return None
    now = msgspec.structs.replace(incident, acknowledged_at=by.at, acknowledged_by=by.actor)
    return _change(incident, now, "acknowledged", by, ("acknowledged_by",))


def snoozed(incident: Incident, by: By, *, until: datetime) -> IncidentChange | None:
    """Nobody is told of it again until then. Raises :class:`IncidentOver` and :class:`SnoozeRefused`."""
    _check(incident, "snooze")
    if incident.snoozed_until == until:
        return None
    if until <= by.at:
        raise SnoozeRefused(incident.id, until)
    now = msgspec.structs.replace(incident, snoozed_until=until)
    return _change(incident, now, "snoozed", by, ("snoozed_until",))


def assigned(incident: Incident, by: By, *, to: str | None) -> IncidentChange | None:
    """Give it to somebody; None: to nobody. Raises :class:`IncidentOver`."""
    _check(incident, "assign")
    if incident.assigned_to == to:
        return None
    now = msgspec.structs.replace(incident, assigned_to=to)
    return _change(incident, now, "assigned", by, ("assigned_to",))


def noted(incident: Incident, by: By, *, text: str) -> IncidentChange:
    """Write something down about it, also when it is over. Who calls this sees to it that it is not there already."""
    step = _change(incident, incident, "noted", msgspec.structs.replace(by, reason=text[:NOTE_LIMIT]), ())
    assert step.event is not None
    return msgspec.structs.replace(step, event=msgspec.structs.replace(step.event, before=None, after=None))


def _check(incident: Incident, what: str) -> None:
    if not incident.is_open:
        raise IncidentOver(incident.id, what)


def _change(before: Incident, after: Incident, what: str, by: By, names: tuple[str, ...]) -> IncidentChange:
    event = Event(
        subject=subject(before.id),
        kind=f"incident.{what}",
        actor=by.actor,
        at=by.at,
        tenant=before.tenant,
        method=by.method,
        reason=by.reason,
        before={name: _value(getattr(before, name)) for name in names},
        after={name: _value(getattr(after, name)) for name in names},
        data={"pipeline": before.pipeline, "kind": str(before.kind)},
    )
    return IncidentChange(before=before, after=after, event=event)


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
