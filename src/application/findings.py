"""What was found out about a run, as far as it calls for a verdict: pure rules, without the ledger's last word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from ..domain import run as runs
from ..domain.actor import RECONCILER
from ..domain.attempt import DeathCertificate
from ..domain.failure import SENDERS, FailureCause, SkipReason
from ..domain.launch import Launch
from ..domain.report import Publication
from ..domain.run import Evidence, Run, Transition
from ..domain.run_status import RunStatus
from ..domain.summary import Summary
from .ports.launcher import JobState, Sighting
from .ports.run_log import OpenRun


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a run, should the ledger know nothing of it."""

    status: RunStatus
    cause: FailureCause | None
    message: str | None
    evidence: Evidence
    skip_reason: SkipReason | None = None
    duration: float | None = None
    certificate: DeathCertificate | None = None
    """Of its newest attempt, where nobody has written one."""


def is_to_be_launched_again(found: OpenRun, sighting: Sighting) -> bool:
    """Whether its supervisor died before it could take the run, nothing says why, and there is time for another."""
    run = found.run
    never_taken = run.status is RunStatus.PENDING and found.attempt is None and run.launch is Launch.STARTED
    says_why = sighting.certificate is not None or sighting.deleted or sighting.ended_well
    return never_taken and sighting.state is JobState.GONE and not says_why and not found.start_deadline_passed


def finding_of(found: OpenRun, sighting: Sighting) -> Finding | None:
    """Whether a verdict is due, and which one it is unless the ledger says that the run has published."""
    run = found.run
    told = sighting.certificate
    if _is_gone(found, sighting) and (found.attempt is not None or told is not None or sighting.ended_well):
        return _gone(found, sighting)
    if sighting.hopeless and told is not None and told.cause is not None:
        return _failed(told.cause, told.message or sighting.detail, Evidence.POD_STATUS, told)
    if found.start_deadline_passed:
        message = "no attempt took it before its start deadline"
        if found.attempt is None and sighting.state is JobState.GONE:
            message += f": {sighting.detail}"
        if told is not None and told.cause is not None:
            return _failed(told.cause, f"{message}: {told.message}", Evidence.DEADLINE)
        return _failed(FailureCause.START_DEADLINE, message, Evidence.DEADLINE)
    # A supervisor that still beats enforces the deadline itself, and with more grace than we have.
    silent = run.status is not RunStatus.RUNNING or found.lease_expired or not sighting.supervised
    if found.run_deadline_passed and silent:
        message = f"its run deadline has passed, and {sighting.detail}"
        return _failed(FailureCause.RUN_DEADLINE, message, Evidence.DEADLINE)
    return None


def _is_gone(found: OpenRun, sighting: Sighting) -> bool:
    if sighting.state is JobState.MISSING:
        ended = found.attempt is not None and found.attempt.ended_at is not None
        return found.lease_expired or ended
    return sighting.state is JobState.GONE


def _gone(found: OpenRun, sighting: Sighting) -> Finding:
    attempt, told = found.attempt, sighting.certificate
    if sighting.summary is not None:
        completed = _completed(sighting.summary, told)
        if completed is not None:
            return completed
    if sighting.ended_well and not sighting.supervised:
        return Finding(
            status=RunStatus.SUCCEEDED, cause=None, message=None, evidence=Evidence.POD_STATUS, certificate=told
        )
    own = attempt.certificate if attempt is not None else None
    if own is not None and own.cause is not None and not _is_told_better(found, own, told):
        message = own.message or f"its last attempt ended ({own.cause})"
        return _failed(own.cause, message, Evidence.PROCESS_GONE)
    if told is not None and told.cause not in (None, FailureCause.UNKNOWN):
        return _failed(told.cause, told.message or sighting.detail, Evidence.POD_STATUS, told)
    if sighting.machine_restarted:
        message = f"its machine was restarted: {sighting.detail}"
        return _failed(FailureCause.NODE_LOST, message, Evidence.PROCESS_GONE)
    message = f"{sighting.detail} without a word, and nothing says why"
    return Finding(
        status=RunStatus.LOST,
        cause=FailureCause.UNKNOWN,
        message=message,
        evidence=Evidence.PROCESS_GONE,
        certificate=None if told is None else msgspec.structs.replace(told, cause=FailureCause.UNKNOWN),
    )


def _is_told_better(found: OpenRun, own: DeathCertificate, told: DeathCertificate | None) -> bool:
    """Whether the platform's word says more than the attempt's: of another pod, or of who has ended this one."""
    if told is None or told.cause is None:
        return False
    pod = found.attempt.whereabouts.pod if found.attempt is not None else None
    another = told.pod is not None and told.pod != pod
    return another or (own.cause is FailureCause.SIGNAL and told.cause in SENDERS)


def _completed(summary: Summary, told: DeathCertificate | None) -> Finding | None:
    """What its supervisor left behind; None: that decides nothing without the ledger, which is looked at anyway."""
    evidence = Evidence.TERMINATION_MESSAGE
    certificate = None if told is None else msgspec.structs.replace(told, cause=summary.cause, message=summary.message)
    if summary.status is RunStatus.SUCCEEDED and not summary.published:
        return Finding(
            status=RunStatus.SUCCEEDED,
            cause=None,
            message=None,
            evidence=evidence,
            duration=summary.duration,
            certificate=certificate,
        )
    if summary.status is RunStatus.SKIPPED:
        return Finding(
            status=RunStatus.SKIPPED,
            cause=None,
            message=summary.message,
            evidence=evidence,
            skip_reason=summary.skip_reason or SkipReason.SUPERSEDED,
            duration=summary.duration,
            certificate=certificate,
        )
    if summary.status is RunStatus.FAILED and summary.cause is not None:
        return Finding(
            status=RunStatus.FAILED,
            cause=summary.cause,
            message=summary.message,
            evidence=evidence,
            duration=summary.duration,
            certificate=certificate,
        )
    return None


def _failed(
    cause: FailureCause, message: str, evidence: Evidence, certificate: DeathCertificate | None = None
) -> Finding:
    return Finding(status=RunStatus.FAILED, cause=cause, message=message, evidence=evidence, certificate=certificate)


def step_of(finding: Finding, publications: tuple[Publication, ...]) -> Callable[[Run, datetime], Transition]:
    """The step that the finding means, or what the ledger knows better."""

    def step(run: Run, at: datetime) -> Transition:
        actor, evidence, message = RECONCILER, finding.evidence, finding.message
        if publications:
            return runs.succeeded(run, actor=actor, at=at, evidence=Evidence.LEDGER, duration=finding.duration)
        if finding.status is RunStatus.SUCCEEDED:
            return runs.succeeded(run, actor=actor, at=at, evidence=evidence, duration=finding.duration)
        if finding.status is RunStatus.LOST:
            return runs.lost(run, actor=actor, at=at, evidence=evidence, message=message)
        if finding.status is RunStatus.SKIPPED:
            return runs.skipped(
                run,
                actor=actor,
                at=at,
                evidence=evidence,
                reason=finding.skip_reason or SkipReason.SUPERSEDED,
                message=message,
                duration=finding.duration,
            )
        return runs.failed(
            run,
            actor=actor,
            at=at,
            evidence=evidence,
            cause=finding.cause or FailureCause.UNKNOWN,
            message=message,
            duration=finding.duration,
        )

    return step
