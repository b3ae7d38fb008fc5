"""An incident: an open problem of one pipeline, to which many failures may belong; and how it opens, grows and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from .actor import RUNLOG
from .event import Event, Notice
from .tenant import DEFAULT_TENANT, Tenant

if TYPE_CHECKING:
    from .slot import Slot

QUIET = timedelta(hours=1)
"""After a recovery that people were told of: a problem that comes back meanwhile is told when this is over, if it is
still there. So a pipeline that fails and succeeds in turns is two messages an hour at most (FAULTS N6)."""

OPENED = "incident.opened"
"""The kind of the notice of an opening; also of one that came back in its quiet hour, once that is over."""
GREW = "incident.grew"
"""... of one more failure of an incident that people know of."""
RECOVERED = "incident.recovered"
"""... of an end: there is one for each ``incident.opened``, and none without."""

WHY_LIMIT = 500
"""The most characters of a reason."""


class IncidentKind(StrEnum):
    """What is wrong."""

    FAILING = "failing"
    """Runs fail or are lost."""

    MISSED = "missed"
    """Slots go by in which nothing ran, and nobody wanted that."""

    FINISH_BY = "finish_by"
    """A slot's work is not done when it was promised."""

    RUN_AT_MOST = "run_at_most"
    """A run takes longer than was promised."""

    FRESH_WITHIN = "fresh_within"
    """What readers of a report see is older than was promised."""

    ROWS_BETWEEN = "rows_between"
    """A report has more or fewer rows than was promised."""


class IncidentStatus(StrEnum):
    """Where an incident stands, written in the transaction of what it is about: a crash leaves no half of one."""

    PENDING = "pending"
    """Something failed less often in a row than the pipeline's ``incident_after``: nobody is told, no list shows it."""

    OPEN = "open"
    """The problem is there. It ends by itself when the problem does; nobody can close it."""

    RECOVERED = "recovered"
    """The problem is gone. The same one opens again if it comes back in its quiet hour; later there is a new one."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """The problem of one kind that a pipeline has, had last, or may come to have; times are the database's.

    The newest of a tenant, pipeline and kind is the only one that changes by itself, so one at most is open.
    """

    tenant: Tenant = DEFAULT_TENANT
    id: int
    """Its number, among the tenant's."""
    pipeline: str
    kind: IncidentKind
    status: IncidentStatus = IncidentStatus.PENDING
    count: int = 0
    """Failures, missed slots or broken promises that belong to it."""
    bad: int = 0
    """How many came in a row since the last good one."""
    good: int = 0
    """While it is open: how many good ones came in a row since the last bad one."""
    since: datetime | None = None
    """The first of them."""
    last_at: datetime | None = None
    """The last of them."""
    bad_since: datetime | None = None
    """The first of those in a row."""
    run_id: UUID | None = None
    """The run that was the last of them; None where it was none."""
    why: str | None = None
    """What the last of them was: a cause, a slot and a reason, a promise and what became of it."""
    opened_at: datetime | None = None
    """When it opened, the last time."""
    reopened: int = 0
    """How often it came back in its quiet hour."""
    recovered_at: datetime | None = None
    """When it ended, the last time."""
    recovered_by: UUID | None = None
    """The run that ended it; None where it was none."""
    announced: bool = False
    """The last that people were told is that it opened: they will be told of its end."""
    quiet_until: datetime | None = None
    """The end of the quiet hour after a recovery that people were told of."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    """Somebody looks after it."""
    snoozed_until: datetime | None = None
    """Until then nobody is told of it again; of its end they are."""
    assigned_to: str | None = None
    """Whose it is, in words."""

    @property
    def is_open(self) -> bool:
        """Whether the problem is there."""
        return self.status is IncidentStatus.OPEN

    def quiet_at(self, at: datetime) -> bool:
        """Whether an opening now would be one message too many."""
        return self.quiet_until is not None and at < self.quiet_until


class IncidentChange(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an incident: its parts are written in the transaction of what it is about."""

    before: Incident | None
    """None: it is a new one."""
    after: Incident
    event: Event | None = None
    notice: Notice | None = None


class IncidentTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline declares of its incidents of kind ``failing``; those of the other kinds open and end at once."""

    incident_after: int = 1
    """Failures in a row that open one."""
    recover_after: int = 1
    """Successes in a row that end one."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One failure, missed slot or broken promise."""

    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    kind: IncidentKind
    at: datetime
    why: str | None = None
    run_id: UUID | None = None


def troubled(newest: Incident | None, trouble: Trouble, *, number: int, incident_after: int = 1) -> IncidentChange:
    """One more has failed. ``newest``: the newest incident of the same tenant, pipeline and kind, if there was one.

    It opens when ``incident_after`` came in a row. ``number``: for a new one.
    """
    at, before = trouble.at, newest
    streak = newest is not None and newest.bad > 0
    bad = newest.bad + 1 if newest is not None and streak else 1
    bad_since = newest.bad_since if newest is not None and streak else at
    if newest is None or (newest.status is IncidentStatus.RECOVERED and not newest.quiet_at(at)):
        before = None
        newest = Incident(tenant=trouble.tenant, id=number, pipeline=trouble.pipeline, kind=trouble.kind)
    why = None if trouble.why is None else trouble.why[:WHY_LIMIT]
    now = msgspec.structs.replace(
        newest, bad=bad, bad_since=bad_since, good=0, last_at=at, run_id=trouble.run_id, why=why
    )
    if newest.is_open:
        now = msgspec.structs.replace(now, count=now.count + 1)
        if not now.announced:
            return told_late(now, at, before=before) or IncidentChange(before=before, after=now)
        return IncidentChange(before=before, after=now, notice=_notice(now, GREW))
    if bad < incident_after:
        if newest.status is IncidentStatus.PENDING:
            now = msgspec.structs.replace(now, count=bad, since=bad_since)
        return IncidentChange(before=before, after=now)
    return _opened(before, now, at)


def mended(
    newest: Incident | None, *, at: datetime, run_id: UUID | None = None, recover_after: int = 1
) -> IncidentChange | None:
    """One has succeeded, or a promise was kept; None: there is nothing to write. It ends after ``recover_after``."""
    if newest is None:
        return None
    if not newest.is_open:
        if newest.bad == 0:
            return None
        now = msgspec.structs.replace(newest, bad=0, bad_since=None)
        if newest.status is IncidentStatus.PENDING:
            now = msgspec.structs.replace(now, count=0, since=None)
        return IncidentChange(before=newest, after=now)
    now = msgspec.structs.replace(newest, bad=0, bad_since=None, good=newest.good + 1)
    if now.good < recover_after:
        return IncidentChange(before=newest, after=now)
    now = msgspec.structs.replace(
        now, status=IncidentStatus.RECOVERED, good=0, recovered_at=at, recovered_by=run_id, announced=False
    )
    if newest.announced:
        now = msgspec.structs.replace(now, quiet_until=at + QUIET)
    data = {"run": _text(run_id)}
    event = _event(now, "recovered", at, data, before=newest)
    notice = _notice(now, RECOVERED, run_id=run_id) if newest.announced else None
    return IncidentChange(before=newest, after=now, event=event, notice=notice)


def told_late(incident: Incident, at: datetime, *, before: Incident | None = None) -> IncidentChange | None:
    """Tell of an incident that came back in its quiet hour and is still there at its end; None: there is none to tell.

    Who acknowledged it, or put it off, did so of what was then.
    """
    if not incident.is_open or incident.announced or incident.quiet_at(at):
        return None
    now = msgspec.structs.replace(
        incident, announced=True, acknowledged_at=None, acknowledged_by=None, snoozed_until=None
    )
    return IncidentChange(before=before or incident, after=now, notice=_notice(now, OPENED))


def _opened(before: Incident | None, now: Incident, at: datetime) -> IncidentChange:
    again = now.status is IncidentStatus.RECOVERED
    quiet = now.quiet_at(at)
    after = msgspec.structs.replace(
        now,
        status=IncidentStatus.OPEN,
        count=now.count + now.bad if again else now.bad,
        since=now.since if again else now.bad_since,
        opened_at=at,
        reopened=now.reopened + again,
        announced=not quiet,
    )
    data = {"run": _text(now.run_id), "why": now.why}
    event = _event(after, "reopened" if again else "opened", at, data, before=before)
    return IncidentChange(before=before, after=after, event=event, notice=None if quiet else _notice(after, OPENED))


def _notice(incident: Incident, kind: str, *, run_id: UUID | None = None) -> Notice:
    return Notice(
        run_id=run_id if kind == RECOVERED else incident.run_id,
        kind=kind,
        pipeline=incident.pipeline,
        tenant=incident.tenant,
        incident_id=incident.id,
    )


def missed_slot(slot: Slot) -> str:
    """What an incident says of a missed slot."""
    text = f"slot {slot.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC was missed: {slot.reason}"
    return f"{text}; {slot.detail}" if slot.detail else text


def subject(incident_id: int) -> str:
    """What an event about it is about."""
    return f"incident:{incident_id}"


def _event(incident: Incident, what: str, at: datetime, data: dict[str, Any], *, before: Incident | None) -> Event:
    return Event(
        subject=subject(incident.id),
        kind=f"incident.{what}",
        actor=RUNLOG,
        at=at,
        tenant=incident.tenant,
        before={"status": str(IncidentStatus.PENDING if before is None else before.status)},
        after={"status": str(incident.status)},
        data={"pipeline": incident.pipeline, "kind": str(incident.kind), "count": incident.count, **data},
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
