"""Promises: what a pipeline declares that its slots, runs and reports will be like, and whether it was kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from uuid import UUID

import msgspec

from .duration import format_duration
from .incident import IncidentKind
from .run_status import RunStatus
from .tenant import DEFAULT_TENANT, Tenant

_DAY = timedelta(days=1)


class Promises(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline promises. Durations are seconds."""

    finish_at: str | None = None
    """``07:00``: a slot's work is done when the clock on its zone's wall next shows this, after the slot."""
    finish_after: float | None = None
    """... or so long after the slot."""
    run_at_most: float | None = None
    """From a run's start to its end, retries and all."""
    fresh_within: dict[str, float] = {}
    """By report: what readers see was published so long ago at most."""
    rows_between: dict[str, tuple[int | None, int | None]] = {}
    """By report: the fewest and the most rows that readers see."""

    @property
    def kinds(self) -> frozenset[IncidentKind]:
        """The kinds of promises that are made."""
        made = {
            IncidentKind.FINISH_BY: self.finish_at is not None or self.finish_after is not None,
            IncidentKind.RUN_AT_MOST: self.run_at_most is not None,
            IncidentKind.FRESH_WITHIN: bool(self.fresh_within),
            IncidentKind.ROWS_BETWEEN: bool(self.rows_between),
        }
        return frozenset(kind for kind, is_made in made.items() if is_made)

    def due_of(self, slot: datetime, zone: tzinfo) -> datetime:
        """By when the slot's work is promised to be done, in UTC. Only where ``finish_by`` is."""
        if self.finish_after is not None:
            return (slot + timedelta(seconds=self.finish_after)).astimezone(UTC)
        assert self.finish_at is not None
        hour, minute = map(int, self.finish_at.split(":"))
        day = slot.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
        shown = (day, day.replace(fold=1), day + _DAY)  # a night in autumn shows an hour twice
        # Compared in UTC: two times of one zone are compared by the clock on the wall, which goes back then.
        return next(due for one in shown if (due := one.astimezone(UTC)) > slot.astimezone(UTC))


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of one slot, run or publication; it gets one verdict."""

    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    kind: IncidentKind
    subject: str
    """The slot's moment, the run's id, or the report and its publication's run."""
    due_at: datetime | None = None
    """None: its run has not begun."""
    run_id: UUID | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A promise's verdict."""

    promise: Promise
    kept: bool | None
    """None: it is none any more, for its slot was skipped, or its run ended without its result."""
    day: date
    """The day, in the pipeline's zone, to which it counts."""
    why: str | None = None
    """Of a broken one: what was promised, and what became of it."""


class RunTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When a run began and ended."""

    id: UUID
    pipeline: str
    status: RunStatus
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What readers of a report see."""

    report: str
    run_id: UUID | None = None
    """The run that published it; None: nothing was ever published."""
    published_at: datetime | None = None
    """When the rows were published that are shown: a rollback makes them no newer."""
    rows: int = 0

    @property
    def subject(self) -> str:
        """What a promise about it is about."""
        return f"{self.report}/{self.run_id or '-'}"


class Attainment(msgspec.Struct, frozen=True, kw_only=True):
    """How many promises of a kind were kept, of those that were due on one day."""

    kind: IncidentKind
    day: date
    kept: int
    promised: int


def finish_judged(
    promise: Promise, *, done: datetime | None, skipped: bool, now: datetime, zone: tzinfo
) -> Judgement | None:
    """Of ``finish_by``; None: it is too early to say. ``done``: when a run of this or a later slot first succeeded."""
    assert promise.due_at is not None
    day = promise.due_at.astimezone(zone).date()
    if done is not None and done <= promise.due_at:
        return Judgement(promise=promise, kept=True, day=day)
    if skipped:
        return Judgement(promise=promise, kept=None, day=day)
    if done is None and now <= promise.due_at:
        return None
    slot = datetime.fromisoformat(promise.subject)
    became = "it is not done yet" if done is None else f"it was done at {_time(done, zone)}"
    why = f"slot {_time(slot, zone)} was promised to be done by {_time(promise.due_at, zone)}; {became}"
    return Judgement(promise=promise, kept=False, day=day, why=why)


def run_judged(
    promise: Promise, run: RunTimes | None, *, at_most: float, now: datetime, zone: tzinfo
) -> Judgement | None:
    """Of ``run_at_most``; None: it is too early to say. ``run`` None: it is not on record any more."""
    day = now.astimezone(zone).date()
    if run is None or (run.status.terminal and run.started_at is None):
        return Judgement(promise=promise, kept=None, day=day)
    if run.started_at is None:
        return None
    due, end = run.started_at + timedelta(seconds=at_most), run.finished_at
    promise = msgspec.structs.replace(promise, due_at=due)
    day = due.astimezone(zone).date()
    if (end or now) > due:
        took = "it is still at work" if end is None else f"it took {_length((end - run.started_at).total_seconds())}"
        why = f"run {run.id} was promised to take at most {_length(at_most)}; {took}"
        return Judgement(promise=promise, kept=False, day=day, why=why)
    if end is None:
        return None
    # What ended without its result says nothing of how long the work takes.
    return Judgement(promise=promise, kept=True if run.status is RunStatus.SUCCEEDED else None, day=day)


def fresh_judged(promise: Promise, shown: Shown, *, within: float, now: datetime, zone: tzinfo) -> Judgement | None:
    """Of ``fresh_within``; None: it is too early to say. A publication's promise is kept by the next one, in time."""
    assert promise.due_at is not None
    day = promise.due_at.astimezone(zone).date()
    if shown.subject != promise.subject and shown.published_at is not None:
        if shown.published_at <= promise.due_at:
            return Judgement(promise=promise, kept=True, day=day)
    elif now <= promise.due_at:
        return None
    age = f"what is shown was to be followed by {_time(promise.due_at, zone)}"
    if promise.subject.endswith("/-"):
        age = f"nothing was published by {_time(promise.due_at, zone)}"
    why = f"report {shown.report} was promised to be at most {_length(within)} old; {age}"
    return Judgement(promise=promise, kept=False, day=day, why=why)


def rows_judged(
    promise: Promise, shown: Shown, *, between: tuple[int | None, int | None], now: datetime, zone: tzinfo
) -> Judgement:
    """Of ``rows_between``."""
    fewest, most = between
    day = (shown.published_at or now).astimezone(zone).date()
    if rows_fit(shown.rows, between):
        return Judgement(promise=promise, kept=True, day=day)
    bounds = [f"{word} {bound:,}" for word, bound in (("at least", fewest), ("at most", most)) if bound is not None]
    why = f"report {shown.report} was promised to have {' and '.join(bounds)} rows; it has {shown.rows:,}"
    return Judgement(promise=promise, kept=False, day=day, why=why)


def rows_fit(rows: int, between: tuple[int | None, int | None]) -> bool:
    """Whether so many rows are promised."""
    fewest, most = between
    return (fewest is None or rows >= fewest) and (most is None or rows <= most)


def _time(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def _length(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))
