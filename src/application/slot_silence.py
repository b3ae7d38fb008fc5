"""Why nothing ran for a slot, as far as anybody can say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ..domain.slot import DETAIL_LIMIT, Slot, SlotReason, SlotState, SlotVerdict
from ..domain.storable import storable_text
from .ports.schedules import SeenSchedule, ToldOfSchedule
from .watched_schedule import WatchedSchedule

_EARLY = timedelta(seconds=5)
"""The controller's clock may be so much before ours."""
_BELATED = timedelta(minutes=2)
"""So long after a slot's window something may be said of it still."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at."""

    cluster: bool
    """What fires slots is a cluster; False: a process of KubeScribe."""
    away: str | None = None
    """Why the cluster could not be seen; None: it was."""
    seen: SeenSchedule | None = None
    """The CronJob."""
    was_suspended: bool = False
    """At the slot's time it was seen suspended, and not for a pause of ours."""
    told: Sequence[ToldOfSchedule] = ()
    """What the cluster has said of it."""


def silence(slot: Slot, watched: WatchedSchedule | None, looked: Looked) -> SlotState:
    """The verdict where there was neither a run nor a pause. The first thing that explains it is the reason."""
    if watched is None:
        return _missed(SlotReason.NOT_KNOWN, "nothing declares its pipeline any more, and the cluster does not show it")
    if not looked.cluster:
        return _missed(SlotReason.CONTROLLER_AWAY, "no process of KubeScribe was there to start it")
    if looked.away is not None:
        return _missed(SlotReason.NOT_KNOWN, f"the cluster could not be asked why: {looked.away}")
    seen = looked.seen
    if seen is None:
        return _missed(
            SlotReason.NOT_INSTALLED, "the cluster shows no CronJob of it; `kubescribe manifests` renders one"
        )
    its = f"CronJob {seen.namespace}/{seen.name}"
    if (seen.suspended and not seen.ours) or looked.was_suspended:
        return _missed(SlotReason.SUSPENDED_OUTSIDE, f"{its} is suspended, and not by a pause of KubeScribe")
    differs = (seen.schedule, seen.timezone) != (watched.schedule.expression, watched.schedule.timezone)
    if differs:
        return _missed(
            SlotReason.NOT_INSTALLED,
            f"{its} says {seen.schedule!r} in {seen.timezone}, the declaration {watched.schedule.expression!r} in "
            f"{watched.schedule.timezone}; see `kubescribe drift`",
        )
    for one in reversed(looked.told):
        in_its_time = one.at >= slot.at - _EARLY and one.since <= slot.window_ends + _BELATED
        if in_its_time and (state := _of_event(one)) is not None:
            return state
    return _of_times(slot, seen, its)


def beside(run: UUID) -> SlotState:
    """The verdict where another run was at work, and the pipeline has one at a time."""
    return SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.CONCURRENCY, detail=f"run {run} of it was at work")


def _of_event(one: ToldOfSchedule) -> SlotState | None:
    if one.reason == "JobAlreadyActive":
        return SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.CONCURRENCY, detail=_cut(one.message))
    if one.reason == "FailedCreate":
        limited = "quota" in one.message or "limit range" in one.message.lower()
        return _missed(SlotReason.QUOTA if limited else SlotReason.ADMISSION, one.message)
    if one.reason in ("UnknownTimeZone", "InvalidSchedule", "UnparseableSchedule"):
        return _missed(SlotReason.NOT_INSTALLED, one.message)
    if one.reason in ("MissSchedule", "TooManyMissedTimes"):
        return _missed(SlotReason.CONTROLLER_AWAY, one.message)
    return None


def _of_times(slot: Slot, seen: SeenSchedule, its: str) -> SlotState:
    fired: datetime | None = seen.last_fired_at
    had_fired = fired is not None and fired <= slot.at  # whatever its object's age, it was there
    if seen.created_at is not None and seen.created_at > slot.at and not had_fired:
        return _missed(SlotReason.NOT_INSTALLED, f"{its} was made after it, at {seen.created_at:%Y-%m-%d %H:%M:%S} UTC")
    if seen.suspended:
        return _missed(SlotReason.CONTROLLER_AWAY, f"{its} was still suspended for a pause that had ended")
    if fired is not None and fired == slot.at:
        return _missed(
            SlotReason.NOT_KNOWN, f"{its} has made a Job for it, and that was gone before anybody had looked at it"
        )
    if fired is not None and fired > slot.at:
        return _missed(SlotReason.CONTROLLER_AWAY, f"{its} went on with the slot of {fired:%Y-%m-%d %H:%M:%S} UTC")
    last = "it has fired nothing so far" if fired is None else f"the last it fired was {fired:%Y-%m-%d %H:%M:%S} UTC"
    return _missed(SlotReason.CONTROLLER_AWAY, f"the cluster's controller did not fire {its}: {last}")


def _missed(reason: SlotReason, detail: str) -> SlotState:
    return SlotState(verdict=SlotVerdict.MISSED, reason=reason, detail=_cut(detail))


def _cut(text: str) -> str:
    return storable_text(text, DETAIL_LIMIT)
