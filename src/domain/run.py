"""A run: one execution of a pipeline, and the functions that move it from state to state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from .errors import IllegalTransition
from .event import Event
from .failure import FailureCause, SkipReason
from .launch import Launch
from .run_mode import RunMode
from .run_status import TRANSITIONS, RunStatus
from .tenant import DEFAULT_TENANT, Tenant

MESSAGE_LIMIT = 4000
"""The most characters of a run's message; what is longer is cut in the middle, and says so."""


class Trigger(StrEnum):
    """Why a run exists."""

    MANUAL = "manual"
    """Somebody at a command line."""

    SCHEDULE = "schedule"
    """A slot of its schedule."""

    API = "api"
    """A request."""

    RETRY = "retry"
    """A retry of another run, named by ``retry_of``."""

    CHAIN = "chain"
    """Another run's end."""


class Evidence(StrEnum):
    """What a terminal record rests on."""

    LEDGER = "ledger"
    """The row in the report database's ledger."""

    EXIT = "exit"
    """The supervisor saw the payload end."""

    TERMINATION_MESSAGE = "termination_message"
    """What the supervisor left behind for the reconciler."""

    POD_STATUS = "pod_status"
    """What Kubernetes says of its pod or its Job."""

    PROCESS_GONE = "process_gone"
    """The processes were looked for and are not there."""

    DEADLINE = "deadline"
    """A deadline passed by the database's clock."""

    NO_ATTEMPT = "no_attempt"
    """No attempt has ever taken the run, and with its fence closed none can."""

    UNVERIFIED = "unverified"
    """Not everything could be looked at: the message says what."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a pipeline; times are aware and by the database's clock."""

    id: UUID
    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    status: RunStatus = RunStatus.PENDING
    trigger: Trigger = Trigger.MANUAL
    actor: str
    reason: str | None = None
    mode: RunMode = RunMode.PUBLISH
    parameters: dict[str, Any] = {}
    slot: datetime | None = None
    retry_of: UUID | None = None
    code_version: str | None = None
    may_publish: bool = True
    """False: no attempt of it ever held a fence, so the report database has nothing to say about it."""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration: float | None = None
    """Seconds from the deciding attempt's start to its end, by the monotonic clock of its supervisor."""
    launch: Launch | None = None
    """None: nobody has to start a supervisor, one brought the run into being."""
    start_deadline_at: datetime | None = None
    run_deadline_at: datetime | None = None
    cancel_asked_at: datetime | None = None
    attempt_id: UUID | None = None
    """The newest attempt that took the run, whether it still works or has ended."""
    attempts: int = 0
    """Its number. Attempts that were recorded when others had the run may have greater ones."""
    cause: FailureCause | None = None
    skip_reason: SkipReason | None = None
    message: str | None = None
    """For people: what happened, at most ``MESSAGE_LIMIT`` characters."""
    evidence: Evidence | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run: both parts are written in one transaction, or none is.

    What a verdict means for the pipeline's incident, and who is told, follows in the same transaction.
    """

    before: Run | None
    after: Run
    event: Event


def created(run: Run, facts: Mapping[str, Any] | None = None, method: str | None = None) -> Transition:
    """Accept a new run; its state has to be PENDING. ``facts``: more for the event; ``method``: the event's."""
    if run.status is not RunStatus.PENDING:
        raise IllegalTransition(run.id, None, run.status)
    data = {"pipeline": run.pipeline, "trigger": run.trigger, "parameters": run.parameters, **(facts or {})}
    if run.reason:
        data["reason"] = run.reason
    if run.retry_of:
        data["retry_of"] = str(run.retry_of)
    if run.mode is not RunMode.PUBLISH:
        data["mode"] = run.mode
    event = _event(run, "created", run.actor, run.created_at, data)
    event = msgspec.structs.replace(event, method=method, reason=run.reason, after={"status": run.status.value})
    return Transition(before=None, after=run, event=event)


def claimed(
    run: Run,
    *,
    attempt_id: UUID,
    actor: str,
    at: datetime,
    run_deadline_at: datetime,
    may_publish: bool,
    number: int | None = None,
    declares: dict[str, Any] | None = None,
) -> Transition:
    """Give the run to an attempt, which takes over from any earlier one.

    ``number``: the attempt's (None: the next one). ``declares``: what nobody had said before.
    """
    number = number or run.attempts + 1
    data: dict[str, Any] = {"attempt": str(attempt_id), "number": number}
    if run.status is RunStatus.RUNNING:
        data["took_over_from"] = str(run.attempt_id)
    if run.code_version is not None and declares and declares.get("code_version") != run.code_version:
        data["code_version_asked_for"], data["code_version"] = run.code_version, declares.get("code_version")
    return _step(
        run,
        RunStatus.RUNNING,
        actor,
        at,
        data,
        attempt_id=attempt_id,
        attempts=number,
        started_at=run.started_at or at,
        # The deadline is the run's, not the attempt's: a retry does not get more time.
        run_deadline_at=run.run_deadline_at or run_deadline_at,
        # What an earlier attempt could have published, it could have published.
        may_publish=may_publish or (run.may_publish and run.attempts > 0),
        cause=None,
        message=None,
        launch=run.launch and Launch.STARTED,
        **(declares or {}),
    )


def released(run: Run, *, actor: str, at: datetime, cause: FailureCause, message: str | None) -> Transition:
    """End the attempt and leave the run to the next one; ``cause`` and ``message`` are the ended attempt's."""
    data = {"attempt": str(run.attempt_id), "cause": cause}
    return _step(run, RunStatus.PENDING, actor, at, data, cause=cause, message=_shortened(message))


def uncertain(run: Run, *, actor: str, at: datetime, why: str) -> Transition:
    """Say that the run needs a verdict which cannot be found yet, and which dependency is missing."""
    return _step(run, RunStatus.UNCERTAIN, actor, at, {"why": why}, message=_shortened(why))


def succeeded(run: Run, *, actor: str, at: datetime, evidence: Evidence, duration: float | None = None) -> Transition:
    """End the run well."""
    message = None
    if run.status is RunStatus.CANCELLING:
        message = _shortened(f"the cancel came too late: it had published before its fence was closed ({run.message})")
    return _end(run, RunStatus.SUCCEEDED, actor, at, evidence, duration=duration, cause=None, message=message)


def failed(
    run: Run,
    *,
    actor: str,
    at: datetime,
    evidence: Evidence,
    cause: FailureCause,
    message: str | None,
    duration: float | None = None,
) -> Transition:
    """End the run without its result, for a known cause."""
    return _end(
        run,
        RunStatus.FAILED,
        actor,
        at,
        evidence,
        cause=cause,
        message=_shortened(message),
        duration=duration,
    )


def lost(run: Run, *, actor: str, at: datetime, evidence: Evidence, message: str | None) -> Transition:
    """End the run when everything was looked at and nothing names the cause."""
    return _end(run, RunStatus.LOST, actor, at, evidence, cause=FailureCause.UNKNOWN, message=_shortened(message))


def skipped(
    run: Run,
    *,
    actor: str,
    at: datetime,
    evidence: Evidence,
    reason: SkipReason,
    message: str | None,
    duration: float | None = None,
) -> Transition:
    """End a run that had nothing to do."""
    return _end(
        run,
        RunStatus.SKIPPED,
        actor,
        at,
        evidence,
        skip_reason=reason,
        message=_shortened(message),
        duration=duration,
        cause=None,
    )


def cancelling(run: Run, *, actor: str, at: datetime, reason: str | None, method: str | None = None) -> Transition:
    """Ask for the run to be ended; ``method``: how it was asked for, as in an event."""
    message = f"cancelled by {actor}" + (f": {reason}" if reason else "")
    data = {"reason": reason}
    step = _step(run, RunStatus.CANCELLING, actor, at, data, cancel_asked_at=at, message=_shortened(message))
    return msgspec.structs.replace(step, event=msgspec.structs.replace(step.event, method=method))


def cancelled(run: Run, *, actor: str, at: datetime, evidence: Evidence, message: str | None) -> Transition:
    """Say that a cancelled run's processes and sessions were seen gone."""
    return _end(run, RunStatus.CANCELLED, actor, at, evidence, message=_shortened(message))


def _end(run: Run, status: RunStatus, actor: str, at: datetime, evidence: Evidence, **changes: Any) -> Transition:
    data: dict[str, Any] = {"evidence": evidence}
    data |= {name: changes[name] for name in ("cause", "skip_reason", "message") if changes.get(name)}
    # A clock that was set back must not make a run end before it began (FAULTS I-7).
    at = max(at, run.started_at or run.created_at)
    return _step(run, status, actor, at, data, evidence=evidence, finished_at=at, **changes)


def _step(run: Run, status: RunStatus, actor: str, at: datetime, data: dict[str, Any], **changes: Any) -> Transition:
    if status not in TRANSITIONS[run.status]:
        raise IllegalTransition(run.id, run.status, status)
    after = msgspec.structs.replace(run, status=status, **changes)
    event = _event(run, status, actor, at, {"from": run.status, **data})
    was, now = _difference(run, after)
    event = msgspec.structs.replace(event, before=was, after=now, reason=data.get("reason"))
    return Transition(before=run, after=after, event=event)


def _difference(before: Run, after: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a step changed. Times are the event's own, and the message is in its data."""
    names = [
        name
        for name in Run.__struct_fields__
        if name == "status"
        or (name != "message" and not name.endswith("_at") and getattr(before, name) != getattr(after, name))
    ]
    was, now = ({name: msgspec.to_builtins(getattr(run, name)) for name in names} for run in (before, after))
    return was, now


def _event(run: Run, what: str, actor: str, at: datetime, data: dict[str, Any]) -> Event:
    return Event(
        subject=f"run:{run.id}",
        tenant=run.tenant,
        run_id=run.id,
        kind=f"run.{what}",
        actor=actor,
        at=at,
        data=data,
    )


def _shortened(message: str | None) -> str | None:
    if message is None or len(message) <= MESSAGE_LIMIT:
        return message
    half = MESSAGE_LIMIT // 2 - 40
    return f"{message[:half]}\n… {len(message) - 2 * half} characters left out …\n{message[-half:]}"
