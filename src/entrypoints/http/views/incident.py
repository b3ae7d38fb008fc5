"""An incident, what people do with it, and what was promised."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from ....application.attain_promises import Attained
from ....application.ports.incidents import IncidentRecord
from ....domain.incident import Incident
from .event import EventView
from .trigger import Reason

Whose = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """An open problem of one pipeline, or one that is over."""

    id: int
    """Its number, among the tenant's."""
    pipeline: str
    kind: str
    """``failing``, ``missed``, ``finish_by``, ``run_at_most``, ``fresh_within`` or ``rows_between``."""
    status: str
    """``open`` or ``recovered``."""
    count: int
    """Failures, missed slots or broken promises that belong to it."""
    since: datetime | None
    last_at: datetime | None
    run_id: UUID | None
    """The run that was the last of them."""
    why: str | None
    opened_at: datetime | None
    reopened: int
    """How often it came back within an hour of its end."""
    recovered_at: datetime | None
    recovered_by: UUID | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    assigned_to: str | None

    @classmethod
    def of(cls, incident: Incident) -> IncidentView:
        """The view of an incident."""
        same = {name: getattr(incident, name) for name in cls.__struct_fields__}
        return cls(**{**same, "kind": str(incident.kind), "status": str(incident.status)})


class IncidentRecordView(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, and what was written about it."""

    incident: IncidentView
    events: tuple[EventView, ...]
    """The newest 500 at most, in the order of writing; a note is an ``incident.noted``, and its text the ``reason``."""

    @classmethod
    def of(cls, record: IncidentRecord) -> IncidentRecordView:
        """The view of a record."""
        return cls(incident=IncidentView.of(record.incident), events=tuple(map(EventView.of, record.events)))


class SnoozeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when, and why."""

    until: datetime
    """With an offset from UTC."""
    reason: Reason | None = None


class AssignRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose it is, and why."""

    to: Whose | None
    """In words; null: nobody's."""
    reason: Reason | None = None


class NoteRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be known about it."""

    text: Words


class PeriodView(msgspec.Struct, frozen=True, kw_only=True):
    """A week or a month of one kind of promise."""

    kind: str
    unit: str
    """``week``, from Monday on, or ``month``."""
    start: date
    kept: int
    promised: int


class PromisesView(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline promises, and how much of it was kept. Durations are seconds."""

    pipeline: str
    finish_at: str | None
    """A time of the day in the pipeline's zone."""
    finish_after: float | None
    run_at_most: float | None
    fresh_within: dict[str, float]
    rows_between: dict[str, tuple[int | None, int | None]]
    attainment: tuple[PeriodView, ...]
    """Of the last eight weeks and six months in which something was promised."""

    @classmethod
    def of(cls, attained: Attained) -> PromisesView:
        """The view of it."""
        made = attained.promises
        return cls(
            pipeline=attained.pipeline,
            **{name: getattr(made, name) for name in made.__struct_fields__},
            attainment=tuple(
                PeriodView(kind=str(one.kind), unit=one.unit, start=one.start, kept=one.kept, promised=one.promised)
                for one in attained.periods
            ),
        )
