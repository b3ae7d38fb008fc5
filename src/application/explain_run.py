"""Why a run waits, works, failed, or did not run."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ..domain.attempt import Attempt
from ..domain.duration import format_duration
from ..domain.event import Event
from ..domain.explanation import Explanation, Fact, in_order
from ..domain.failure import FailureCause, SkipReason
from ..domain.launch import Launch
from ..domain.run import Run
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.run_history import RunHistory
from .ports.run_log import RunLog

_FAILED: dict[FailureCause, tuple[str, str]] = {
    FailureCause.ERROR: ("its code raised an error", "kubescribe logs {id}"),
    FailureCause.EXIT_CODE: ("its process ended with an exit code other than 0", "kubescribe logs {id}"),
    FailureCause.SIGNAL: ("its process was ended by a signal", "kubescribe retry {id}"),
    FailureCause.OOM_KILLED: (
        "it was killed for its memory: give it more, or read less at once",
        "kubescribe show {id}",
    ),
    FailureCause.EVICTED: ("its node threw it out", "kubescribe retry {id}"),
    FailureCause.PREEMPTED: ("a pod of higher priority took its place", "kubescribe retry {id}"),
    FailureCause.NODE_LOST: ("its machine was lost or started anew", "kubescribe retry {id}"),
    FailureCause.IMAGE_PULL: ("its image could not be pulled", "kubescribe show {id}"),
    FailureCause.UNSCHEDULABLE: ("no node would take it in time", "kubescribe retry {id}"),
    FailureCause.QUOTA_EXCEEDED: ("a quota refused it", "kubescribe show {id}"),
    FailureCause.CONFIG_ERROR: ("a setting, a parameter or a declaration is wrong", "kubescribe pipelines {pipeline}"),
    FailureCause.START_DEADLINE: ("no attempt took it before its start deadline", "kubescribe retry {id}"),
    FailureCause.RUN_DEADLINE: ("it ran longer than it may", "kubescribe logs {id}"),
    FailureCause.PRECONDITION: ("its data was not as declared, so nothing was published", "kubescribe show {id}"),
    FailureCause.FENCED: ("a newer attempt or a verdict took its right to publish", "kubescribe show {id}"),
    FailureCause.UNAVAILABLE: ("a database that it needs was away", "kubescribe retry {id}"),
    FailureCause.LEASE_EXPIRED: ("it fell silent, and was given up", "kubescribe retry {id}"),
    FailureCause.UNKNOWN: ("nothing names the cause", "kubescribe logs {id}"),
}


class ExplainRun:
    """Explains one run from its record."""

    def __init__(self, *, run_log: RunLog, history: RunHistory) -> None:
        self._run_log = run_log
        self._history = history

    async def __call__(self, run_id: UUID, *, now: datetime, tenant: Tenant = DEFAULT_TENANT) -> Explanation:
        """Why it is as it is at ``now``; raises :class:`RunNotFound`."""
        run = await self._run_log.get(run_id, tenant=tenant)
        attempts = await self._history.attempts(run_id, tenant=tenant)
        events = await self._history.events(run_id, tenant=tenant)
        sentence, next_step = _why(run, attempts[-1] if attempts else None, now)
        if next_step is not None:
            next_step = next_step.format(id=run.id, pipeline=run.pipeline)
        facts = in_order(_facts(run, attempts, events))
        return Explanation(subject=f"run:{run.id}", sentence=sentence, facts=facts, next_step=next_step)


def _why(run: Run, newest: Attempt | None, now: datetime) -> tuple[str, str | None]:
    match run.status:
        case RunStatus.PENDING:
            return _pending(run, newest, now)
        case RunStatus.RUNNING:
            return _running(run, newest, now)
        case RunStatus.UNCERTAIN:
            return f"It has no verdict yet, because what would decide cannot be read: {run.message}", _RECONCILE
        case RunStatus.CANCELLING:
            return f"It is being cancelled, and not seen gone yet ({run.message})", _RECONCILE
        case RunStatus.SUCCEEDED:
            what = "It was rehearsed, and published nothing" if run.mode is RunMode.REHEARSE else "It has succeeded"
            return (f"{what}; {run.message}" if run.message else what), None
        case RunStatus.SKIPPED if run.skip_reason is SkipReason.PAUSED:
            return f"It did not run: {run.message}", "kubescribe resume {pipeline}"
        case RunStatus.SKIPPED if run.skip_reason in (SkipReason.CONCURRENCY, SkipReason.DST):
            return f"It did not run: {run.message}", "kubescribe retry {id}"
        case RunStatus.SKIPPED:
            return f"It had nothing to do: {run.message}", None
        case RunStatus.CANCELLED:
            return f"Somebody wanted it to end: {run.message}", "kubescribe retry {id}"
        case RunStatus.LOST:
            return f"It was lost: {run.message}; all evidence was looked at", "kubescribe retry {id}"
        case RunStatus.FAILED:
            why, step = _FAILED[run.cause or FailureCause.UNKNOWN]
            return f"It failed, because {why}" + (f": {run.message}" if run.message else ""), step


_RECONCILE = "kubescribe reconcile"


def _pending(run: Run, newest: Attempt | None, now: datetime) -> tuple[str, str | None]:
    if run.launch is Launch.DUE:
        if run.message:
            return f"It waits: {run.message}", "kubescribe runs --status running"
        return "It was accepted, and no supervisor has been started for it yet", _RECONCILE
    if newest is not None:
        ended = newest.certificate.message if newest.certificate else None
        why = f"attempt {newest.number} ended" + (f" ({ended})" if ended else "")
        return f"It waits for its next attempt: {why}", "kubescribe logs {id}"
    if run.start_deadline_at is not None and run.start_deadline_at < now:
        return "No attempt took it before its start deadline, and nobody has said so yet", _RECONCILE
    until = "" if run.start_deadline_at is None else f"; it has until {run.start_deadline_at:%H:%M:%S} UTC"
    return f"Its supervisor has not taken it yet{until}", None


def _running(run: Run, newest: Attempt | None, now: datetime) -> tuple[str, str | None]:
    if newest is None:
        return "An attempt works on it", None
    worked = format_duration(max(now - newest.started_at, now - now))
    doing = f" ({newest.progress_text})" if newest.progress_text else ""
    share = "" if newest.progress is None else f", {newest.progress:.0%} done{doing}"
    if newest.lease_until < now:
        silent = f"{newest.lease_until:%H:%M:%S} UTC"
        return f"Attempt {newest.number} is silent: its lease was over at {silent}", _RECONCILE
    if run.run_deadline_at is not None and run.run_deadline_at < now:
        return (
            f"It is late: its run deadline has passed, and its supervisor is ending it{share}",
            "kubescribe logs {id}",
        )
    return f"Attempt {newest.number} has been at work for {worked}{share}", "kubescribe logs {id} --follow"


def _facts(run: Run, attempts: tuple[Attempt, ...], events: tuple[Event, ...]) -> list[Fact]:
    facts = [Fact(run.created_at, f"it was made by {run.actor} ({run.trigger})")]
    if run.reason:
        facts.append(Fact(None, f"the reason given: {run.reason}"))
    if run.slot is not None:
        facts.append(Fact(None, f"it is for the slot {run.slot.isoformat()}"))
    if run.retry_of is not None:
        facts.append(Fact(None, f"it repeats run {run.retry_of}"))
    for attempt in attempts:
        facts.append(Fact(attempt.started_at, f"attempt {attempt.number} began on {attempt.whereabouts.host}"))
        if attempt.ended_at is not None:
            certificate = attempt.certificate
            how = "ended well" if certificate is None or certificate.cause is None else f"ended ({certificate.cause})"
            said = f": {certificate.message}" if certificate and certificate.message else ""
            facts.append(Fact(attempt.ended_at, f"attempt {attempt.number} {how}{said}"))
    told = ("run.cancelling", "run.uncertain")
    facts += [Fact(event.at, f"{event.kind} by {event.actor}") for event in events if event.kind in told]
    if run.finished_at is not None:
        facts.append(Fact(run.finished_at, f"it is {run.status}, known from {run.evidence}"))
    elif run.run_deadline_at is not None:
        facts.append(Fact(run.run_deadline_at, "its run deadline"))
    elif run.start_deadline_at is not None and run.launch is not Launch.DUE:
        facts.append(Fact(run.start_deadline_at, "its start deadline"))
    return facts
