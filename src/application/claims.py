"""How a claim is answered: the same in every adapter of ``AttemptLog``, inside its transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ..domain.actor import supervisor
from ..domain.attempt import Attempt, DeathCertificate
from ..domain.concurrency import Concurrency
from ..domain.errors import Fenced, PipelineBusy, RunClosed, RunMismatch
from ..domain.failure import FailureCause, SkipReason
from ..domain.launch import Launch
from ..domain.run import Evidence, Run, Transition, cancelling, claimed, created, skipped
from ..domain.run_status import RunStatus
from ..domain.storable import seconds
from .ports.attempt_log import Claim, Claimed

_SUPERVISORS_FIRST = 30.0
"""Seconds: a supervisor that waits gives up by itself before the reconciler does it."""


def new_run(claim: Claim, at: datetime) -> Transition:
    """The run of a claim that finds none: a scheduled Job starts without asking RunLog first."""
    return created(
        Run(
            id=claim.run_id,
            tenant=claim.tenant,
            pipeline=claim.pipeline,
            trigger=claim.trigger,
            actor=claim.actor,
            reason=claim.reason,
            mode=claim.mode,
            parameters=claim.parameters or {},
            slot=claim.slot,
            retry_of=claim.retry_of,
            code_version=claim.code_version,
            may_publish=claim.may_publish,
            created_at=at,
            start_deadline_at=_waits_until(claim, at),
        )
    )


def _waits_until(claim: Claim, at: datetime) -> datetime | None:
    """A run that waits for its turn has a deadline, should its supervisor die meanwhile."""
    if claim.concurrency not in (Concurrency.QUEUE, Concurrency.REPLACE):
        return None
    return at + timedelta(seconds=seconds(claim.start_deadline) + _SUPERVISORS_FIRST)


def check_same(run: Run, claim: Claim) -> None:
    """Raise :class:`RunMismatch` unless the claim means this run."""
    if run.tenant != claim.tenant:
        raise RunMismatch(run.id, f"is not one of tenant {claim.tenant}")
    if run.pipeline != claim.pipeline:
        raise RunMismatch(run.id, f"is a run of {run.pipeline}, not of {claim.pipeline}")
    if run.mode is not claim.mode:
        raise RunMismatch(run.id, f"was asked for in mode {run.mode}, not {claim.mode}")
    if claim.parameters is not None and not _undeclared(run) and run.parameters != claim.parameters:
        names = sorted(
            name
            for name in run.parameters.keys() | claim.parameters.keys()
            if run.parameters.get(name, msgspec.UNSET) != claim.parameters.get(name, msgspec.UNSET)
        )
        raise RunMismatch(run.id, f"has other parameters ({', '.join(names)})")


def belated(run: Run, newest: Attempt | None, claim: Claim, *, now: datetime, ago: float) -> str | None:
    """Why the claim may only be recorded and takes nothing; None: it takes the run.

    Raises :class:`RunClosed` and :class:`Fenced` instead where the claim is told as it happens.
    """
    if run.status.terminal or run.status is RunStatus.CANCELLING:
        if not ago:
            raise RunClosed(run.id, run.status)
        return f"the run was {run.status} already when this attempt was told"
    if newest is None:
        return None
    # The report database has decided already which of the two may publish. A claim that comes late, from an
    # attempt that was paused or cut off, must not take the run from the one that can finish it.
    if newest.fence is not None and claim.fence is not None:
        if claim.fence < newest.fence:
            if not ago:
                raise Fenced(run.id, f"attempt {newest.number} holds a newer fence")
            return _had_taken(newest)
        return None
    # Not by `moment`, which never precedes the run's start and so would make an older claim as new as the first.
    return _had_taken(newest) if ago and now - timedelta(seconds=seconds(ago)) < newest.started_at else None


def _had_taken(newest: Attempt) -> str:
    return f"attempt {newest.number} had taken the run before this one was told"


def filed(run: Run, claim: Claim, why: str, *, number: int, now: datetime, ago: float) -> tuple[Run, Attempt]:
    """The run and the attempt where the claim is only recorded. Of the run at most ``may_publish`` changes."""
    at = max(now - timedelta(seconds=seconds(ago)), run.created_at)
    # Where the run is decided nobody took it from this attempt: how it ended is simply not known yet.
    cause = FailureCause.UNKNOWN if run.status.terminal else FailureCause.FENCED
    attempt = Attempt(
        id=claim.attempt_id,
        run_id=run.id,
        number=number,
        fence=claim.fence,
        whereabouts=claim.whereabouts,
        started_at=at,
        lease_until=at,
        ended_at=at,
        certificate=DeathCertificate(
            cause=cause, message=why, recorded_by=supervisor(claim.attempt_id), provisional=True
        ),
    )
    if claim.may_publish and not run.status.terminal:
        # It holds a fence, so a verdict on the run has to ask the report database.
        run = msgspec.structs.replace(run, may_publish=True)
    return run, attempt


def taken(run: Run, claim: Claim, *, number: int, at: datetime, now: datetime) -> tuple[Transition, Attempt]:
    """The run's step and the new attempt; ``at`` is when it happened, the lease counts from ``now``."""
    deadline = at + timedelta(seconds=seconds(claim.run_deadline))
    step = claimed(
        run,
        attempt_id=claim.attempt_id,
        actor=supervisor(claim.attempt_id),
        at=at,
        run_deadline_at=deadline,
        may_publish=claim.may_publish,
        number=number,
        declares=_declares(run, claim),
    )
    attempt = Attempt(
        id=claim.attempt_id,
        run_id=run.id,
        number=number,
        fence=claim.fence,
        whereabouts=claim.whereabouts,
        started_at=at,
        lease_until=now + timedelta(seconds=seconds(claim.lease)),
    )
    return step, attempt


def _declares(run: Run, claim: Claim) -> dict[str, Any]:
    """What the claim says of the run that was not known, or has changed since it was asked for."""
    if _undeclared(run):
        # Its earlier attempts, if any, ended before they could say what the run is.
        return {"parameters": claim.parameters or {}, "code_version": claim.code_version}
    if claim.code_version is not None and claim.code_version != run.code_version:
        return {"code_version": claim.code_version}  # the record says what runs, not what was asked for
    return {}


def _undeclared(run: Run) -> bool:
    """Whether nobody has said what the run's parameters are: they may still turn out to be none."""
    return run.code_version is None and not run.parameters


def displaced(claim: Claim, number: int) -> DeathCertificate:
    """The certificate of an earlier attempt that had not ended when attempt ``number`` took its run."""
    if claim.published:
        return DeathCertificate(
            cause=FailureCause.UNKNOWN,
            message=f"the run had published when attempt {number} came to complete its record",
            recorded_by=supervisor(claim.attempt_id),
        )
    return DeathCertificate(
        cause=FailureCause.FENCED,
        message=f"attempt {number} took the run over",
        recorded_by=supervisor(claim.attempt_id),
    )


def answer(run: Run, attempt: Attempt, now: datetime) -> Claimed:
    """What the attempt is told."""
    # None: the run ended, or was cancelled, before anybody took it.
    left = 0.0 if run.run_deadline_at is None else (run.run_deadline_at - now).total_seconds()
    return Claimed(run=run, attempt=attempt, run_deadline_in=left)


def moment(run: Run, now: datetime, ago: float = 0.0) -> datetime:
    """When a thing that is told now happened to the run: never before the run itself (FAULTS I-7)."""
    return max(now - timedelta(seconds=seconds(ago)), run.started_at or run.created_at)


def asks_for_its_turn(run: Run | None, claim: Claim, ago: float) -> bool:
    """Whether the claim has to look at the pipeline's other runs: a retry of what has begun has its turn already."""
    return claim.concurrency is not Concurrency.ALLOW and not ago and (run is None or run.attempts == 0)


def is_before(other: Run, run: Run, now: datetime) -> bool:
    """Whether ``run`` has to wait for ``other`` of its pipeline, which is at work, or has been waiting for longer."""
    if other.id == run.id or other.status.terminal:
        return False
    if other.status is not RunStatus.PENDING or other.attempts > 0:
        return True
    late = other.start_deadline_at is not None and other.start_deadline_at < now
    return other.launch is not Launch.DUE and not late and (other.created_at, other.id) < (run.created_at, run.id)


def is_at_work(other: Run) -> bool:
    """Whether an attempt has taken it, and it has no verdict."""
    return not other.status.terminal and (other.status is not RunStatus.PENDING or other.attempts > 0)


def passed_over(run: Run, others: tuple[UUID, ...], at: datetime) -> Transition:
    """The end of a run under FORBID."""
    busy = PipelineBusy(run.id, others, skipped=True)
    return skipped(
        run,
        actor=run.actor,
        at=at,
        evidence=Evidence.NO_ATTEMPT,
        reason=SkipReason.CONCURRENCY,
        message=str(busy),
    )


def displacing(other: Run, by: Run, at: datetime) -> Transition | None:
    """The cancel of another run under REPLACE; None: one is under way, or it is over."""
    if other.status.terminal or other.status is RunStatus.CANCELLING:
        return None
    return cancelling(other, actor=by.actor, at=at, reason=f"run {by.id} of the same pipeline replaces it")
