"""A pause: a pipeline's slots pass by, until somebody resumes it or its end comes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from .event import Event
from .tenant import DEFAULT_TENANT, Tenant

if TYPE_CHECKING:
    from .schedule import Schedule  # every supervisor imports this module, and none reads a schedule

MOST_SLOTS = 1000
"""As many slots that were passed over are listed; that there are more is said."""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline's; times are aware and by the database's clock."""

    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    actor: str
    reason: str | None = None
    since: datetime
    until: datetime | None = None
    """Its end; None: until somebody resumes it."""

    def holds_at(self, moment: datetime) -> bool:
        """Whether a slot of this moment would be passed over."""
        return self.until is None or moment < self.until

    def __str__(self) -> str:
        """For people: who, since when, until when, and why."""
        text = f"pipeline {self.pipeline} is paused since {self.since:%Y-%m-%d %H:%M} UTC by {self.actor}"
        if self.until is not None:
            text += f" until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{text}: {self.reason}" if self.reason else text


class PassedOver(msgspec.Struct, frozen=True):
    """The slots that a pause has let go by."""

    slots: tuple[datetime, ...] = ()
    more: bool = False
    """There are further ones, beyond ``MOST_SLOTS``."""


def passed_over(pause: Pause, schedule: Schedule | None, end: datetime) -> PassedOver:
    """The slots from the pause's beginning to ``end``, or to its own end if that was earlier."""
    if schedule is None:
        return PassedOver()
    end = end if pause.until is None else min(end, pause.until)
    slots: list[datetime] = []
    moment: datetime | None = pause.since
    while moment is not None and (moment := schedule.next_after(moment)) is not None and moment <= end:
        if len(slots) == MOST_SLOTS:
            return PassedOver(tuple(slots), True)
        slots.append(moment)
    return PassedOver(tuple(slots))


def paused_event(pause: Pause, at: datetime, *, before: Pause | None, method: str | None = None) -> Event:
    """The event of a pause; ``before``: the one that held already."""
    until = None if pause.until is None else pause.until.isoformat()
    event = _event(pause, "paused", pause.actor, at, {"reason": pause.reason, "until": until})
    return msgspec.structs.replace(
        event, method=method, reason=pause.reason, before=_state(before), after=_state(pause)
    )


def resumed_event(
    pause: Pause, slots: PassedOver, *, actor: str, reason: str | None, at: datetime, method: str | None = None
) -> Event:
    """The event of a pause's end."""
    data: dict[str, Any] = {"reason": reason, "paused_since": pause.since.isoformat(), "paused_by": pause.actor}
    data |= {"passed_over": [slot.isoformat() for slot in slots.slots], "more": slots.more}
    event = _event(pause, "resumed", actor, at, data)
    return msgspec.structs.replace(event, method=method, reason=reason, before=_state(pause), after=_state(None))


def was_paused(pipeline: str, data: dict[str, Any], before: dict[str, Any] | None, ended: datetime) -> str:
    """A pause that has ended, for people, from what its ``pipeline.resumed`` event says; ``ended``: when that was."""
    since, until = datetime.fromisoformat(data["paused_since"]), (before or {}).get("until")
    if until is not None:  # whoever wrote the event may have been away when its end came
        ended = min(ended, datetime.fromisoformat(until))
    text = f"pipeline {pipeline} was paused from {since:%Y-%m-%d %H:%M} UTC to {ended:%Y-%m-%d %H:%M} UTC"
    text += f" by {data.get('paused_by')}"
    reason = (before or {}).get("reason")
    return f"{text}: {reason}" if reason else text


def _state(pause: Pause | None) -> dict[str, Any]:
    """What a change of it changes."""
    if pause is None:
        return {"paused": False, "until": None, "reason": None}
    return {"paused": True, "until": pause.until and pause.until.isoformat(), "reason": pause.reason}


def _event(pause: Pause, what: str, actor: str, at: datetime, data: dict[str, Any]) -> Event:
    return Event(
        subject=f"pipeline:{pause.pipeline}",
        kind=f"pipeline.{what}",
        actor=actor,
        at=at,
        tenant=pause.tenant,
        data=data,
    )
