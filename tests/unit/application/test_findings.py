"""What was seen of a run, and which verdict it calls for: every rule by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.support.builders import HERE, LONG_AGO, a_run

from kubescribe.application.findings import finding_of, is_to_be_launched_again
from kubescribe.application.ports.launcher import JobState, Sighting
from kubescribe.application.ports.run_log import OpenRun
from kubescribe.domain.actor import supervisor
from kubescribe.domain.attempt import Attempt, DeathCertificate
from kubescribe.domain.failure import FailureCause as Cause
from kubescribe.domain.failure import SkipReason
from kubescribe.domain.launch import Launch
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.summary import Summary

RUN, POD = UUID(int=1), UUID(int=11)


def attempt(cause: Cause | None = None, **changes: Any) -> Attempt:
    """On the pod ``first``; with ``cause`` it has told its own end."""
    own = DeathCertificate(cause=cause, message=f"its own word: {cause}", recorded_by=supervisor(POD))
    made = Attempt(
        id=POD,
        run_id=RUN,
        number=1,
        whereabouts=msgspec.structs.replace(HERE, pod="first"),
        started_at=LONG_AGO,
        lease_until=LONG_AGO,
        ended_at=LONG_AGO if cause else None,
        certificate=own if cause else None,
    )
    return msgspec.structs.replace(made, **changes)


def found(
    its: Attempt | None = None,
    *,
    status: RunStatus = RunStatus.RUNNING,
    launch: Launch | None = Launch.STARTED,
    **said: bool,
) -> OpenRun:
    clock = {"lease_expired": False, "run_deadline_passed": False, "start_deadline_passed": False}
    return OpenRun(run=a_run(RUN, status=status, launch=launch), attempt=its, **{**clock, **said})


def told(cause: Cause | None, pod: str = "first") -> DeathCertificate:
    return DeathCertificate(cause=cause, message=f"the cluster says: {cause}", pod=pod)


def gone(**seen: Any) -> Sighting:
    return Sighting(state=JobState.GONE, detail="its Job has failed", **seen)


def alive(**seen: Any) -> Sighting:
    return Sighting(state=JobState.ALIVE, detail="its pod waits", **seen)


def summary(status: RunStatus, **changes: Any) -> Summary:
    return Summary(run_id=RUN, attempt_id=POD, pipeline="flights", status=status, exit_code=0, duration=4.0, **changes)


@pytest.mark.parametrize(
    ("own", "platforms", "decides"),
    [
        (None, told(Cause.OOM_KILLED), Cause.OOM_KILLED),
        (Cause.ERROR, told(Cause.EXIT_CODE), Cause.ERROR),
        (Cause.SIGNAL, told(Cause.EVICTED), Cause.EVICTED),
        (Cause.SIGNAL, told(Cause.RUN_DEADLINE), Cause.RUN_DEADLINE),
        (Cause.SIGNAL, told(Cause.EXIT_CODE), Cause.SIGNAL),
        (Cause.ERROR, told(Cause.OOM_KILLED), Cause.ERROR),
        (Cause.ERROR, told(Cause.OOM_KILLED, "second"), Cause.OOM_KILLED),
        (Cause.ERROR, told(None), Cause.ERROR),
        (Cause.ERROR, None, Cause.ERROR),
    ],
)
def test_of_an_end_the_one_who_knows_more_tells_the_cause(
    own: Cause | None, platforms: DeathCertificate | None, decides: Cause
) -> None:
    finding = finding_of(found(attempt(own)), gone(certificate=platforms))
    assert finding is not None
    assert (finding.status, finding.cause) == (RunStatus.FAILED, decides)


@pytest.mark.parametrize("platforms", [None, told(None), told(Cause.UNKNOWN)])
def test_an_end_that_nobody_can_explain_is_a_loss(platforms: DeathCertificate | None) -> None:
    finding = finding_of(found(attempt()), gone(certificate=platforms))
    assert finding is not None and finding.status is RunStatus.LOST


def test_k5_of_a_supervisor_exit_code_0_is_no_result_and_of_a_stranger_it_is() -> None:
    ours = finding_of(found(attempt()), gone(certificate=told(None), ended_well=True))
    theirs = finding_of(found(attempt()), gone(certificate=told(None), ended_well=True, supervised=False))
    assert ours is not None and ours.status is RunStatus.LOST
    assert theirs is not None
    assert (theirs.status, theirs.evidence) == (RunStatus.SUCCEEDED, Evidence.POD_STATUS)


@pytest.mark.parametrize(
    ("its", "status", "decides"),
    [
        (summary(RunStatus.SUCCEEDED), RunStatus.SUCCEEDED, None),
        (summary(RunStatus.FAILED, cause=Cause.ERROR, message="no"), RunStatus.FAILED, Cause.ERROR),
        (summary(RunStatus.SKIPPED, skip_reason=SkipReason.PAUSED), RunStatus.SKIPPED, None),
    ],
)
def test_what_a_supervisor_left_behind_completes_the_record(
    its: Summary, status: RunStatus, decides: Cause | None
) -> None:
    finding = finding_of(found(attempt()), gone(summary=its, certificate=told(Cause.EXIT_CODE)))
    assert finding is not None
    assert (finding.status, finding.cause, finding.evidence) == (status, decides, Evidence.TERMINATION_MESSAGE)
    assert finding.duration == 4.0


@pytest.mark.parametrize(
    "its",
    [
        summary(RunStatus.SUCCEEDED, published=("totals",)),  # then the ledger would say so
        summary(RunStatus.PENDING, cause=Cause.ERROR),
        summary(RunStatus.UNCERTAIN),
    ],
)
def test_a_word_that_the_ledger_has_to_confirm_decides_nothing_by_itself(its: Summary) -> None:
    finding = finding_of(found(attempt()), gone(summary=its))
    assert finding is not None and finding.status is RunStatus.LOST


@pytest.mark.parametrize(
    ("its", "expired", "decided"),
    [(attempt(), False, False), (attempt(), True, True), (attempt(Cause.ERROR), False, True)],
)
def test_what_was_not_found_is_gone_only_after_a_silence(its: Attempt, expired: bool, decided: bool) -> None:
    missing = Sighting(state=JobState.MISSING, detail="no Job of it is there")
    assert (finding_of(found(its, lease_expired=expired), missing) is not None) is decided


def test_what_cannot_be_seen_is_no_evidence() -> None:
    unknown = Sighting(state=JobState.UNKNOWN, detail="the cluster does not answer")
    assert finding_of(found(attempt(), lease_expired=True), unknown) is None


def test_what_can_never_start_fails_at_once_and_what_may_still_start_does_not() -> None:
    waits = alive(certificate=told(Cause.IMAGE_PULL))
    pending = found(status=RunStatus.PENDING)
    assert finding_of(pending, waits) is None
    finding = finding_of(pending, msgspec.structs.replace(waits, hopeless=True))
    assert finding is not None
    assert (finding.cause, finding.evidence) == (Cause.IMAGE_PULL, Evidence.POD_STATUS)


@pytest.mark.parametrize(
    ("certificate", "decides"), [(told(Cause.UNSCHEDULABLE), Cause.UNSCHEDULABLE), (None, Cause.START_DEADLINE)]
)
def test_after_the_start_deadline_the_cause_is_what_kept_it_waiting(
    certificate: DeathCertificate | None, decides: Cause
) -> None:
    late = found(status=RunStatus.PENDING, start_deadline_passed=True)
    finding = finding_of(late, alive(certificate=certificate))
    assert finding is not None
    assert (finding.cause, finding.evidence) == (decides, Evidence.DEADLINE)


def test_only_what_ended_without_a_reason_is_launched_again() -> None:
    pending = found(status=RunStatus.PENDING)
    assert is_to_be_launched_again(pending, gone())
    for sighting in (gone(certificate=told(Cause.EXIT_CODE)), gone(deleted=True), gone(ended_well=True), alive()):
        assert not is_to_be_launched_again(pending, sighting)
    assert not is_to_be_launched_again(found(attempt()), gone())
