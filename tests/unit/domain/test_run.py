"""Every step of a run: those that its state allows, and no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import LONG_AGO, a_run

from kubescribe.domain import run as steps
from kubescribe.domain.errors import IllegalTransition
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.run import MESSAGE_LIMIT, Evidence, Run, Transition
from kubescribe.domain.run_status import OPEN, TRANSITIONS, RunStatus

RUN, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3)
LATER = LONG_AGO + timedelta(hours=1)
Step = Callable[..., Transition]


def claimed(run: Run, *, actor: str, at: datetime, attempt_id: UUID = SECOND, **changes: Any) -> Transition:
    may_publish: bool = changes.pop("may_publish", True)
    return steps.claimed(
        run,
        attempt_id=attempt_id,
        actor=actor,
        at=at,
        run_deadline_at=at + timedelta(hours=1),
        may_publish=may_publish,
        **changes,
    )


def released(run: Run, *, actor: str, at: datetime, message: str | None = "it broke") -> Transition:
    return steps.released(run, actor=actor, at=at, cause=FailureCause.ERROR, message=message)


def uncertain(run: Run, *, actor: str, at: datetime, message: str | None = "the report database is away") -> Transition:
    return steps.uncertain(run, actor=actor, at=at, why=message or "")


def succeeded(run: Run, *, actor: str, at: datetime) -> Transition:
    return steps.succeeded(run, actor=actor, at=at, evidence=Evidence.LEDGER, duration=1.5)


def failed(run: Run, *, actor: str, at: datetime, message: str | None = "it broke") -> Transition:
    return steps.failed(
        run, actor=actor, at=at, evidence=Evidence.EXIT, cause=FailureCause.SIGNAL, message=message, duration=1.5
    )


def lost(run: Run, *, actor: str, at: datetime, message: str | None = "nothing says why") -> Transition:
    return steps.lost(run, actor=actor, at=at, evidence=Evidence.PROCESS_GONE, message=message)


def skipped(run: Run, *, actor: str, at: datetime, message: str | None = "older") -> Transition:
    return steps.skipped(
        run, actor=actor, at=at, evidence=Evidence.EXIT, reason=SkipReason.SUPERSEDED, message=message, duration=1.5
    )


def cancelling(run: Run, *, actor: str, at: datetime) -> Transition:
    return steps.cancelling(run, actor=actor, at=at, reason="not needed")


def cancelled(run: Run, *, actor: str, at: datetime, message: str | None = "gone") -> Transition:
    return steps.cancelled(run, actor=actor, at=at, evidence=Evidence.PROCESS_GONE, message=message)


STEP_TO: dict[RunStatus, Step] = {
    RunStatus.RUNNING: claimed,
    RunStatus.PENDING: released,
    RunStatus.UNCERTAIN: uncertain,
    RunStatus.SUCCEEDED: succeeded,
    RunStatus.FAILED: failed,
    RunStatus.LOST: lost,
    RunStatus.SKIPPED: skipped,
    RunStatus.CANCELLING: cancelling,
    RunStatus.CANCELLED: cancelled,
}
PAIRS = list(product(RunStatus, RunStatus))
LEGAL = [(before, after) for before, after in PAIRS if after in TRANSITIONS[before]]
SAYING = [released, uncertain, failed, lost, skipped, cancelled]


def in_state(status: RunStatus) -> Run:
    return a_run(RUN, status=status, started_at=LONG_AGO + timedelta(minutes=1), attempt_id=FIRST, attempts=1)


def leading_to(step: Step) -> Run:
    """A run that the step may be made on."""
    after = next(status for status, one in STEP_TO.items() if one is step)
    return in_state(next(before for before in RunStatus if after in TRANSITIONS[before]))


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_a_legal_step(before: RunStatus, after: RunStatus) -> None:
    run = in_state(before)
    step = STEP_TO[after](run, actor="user:bo", at=LATER)
    assert (step.before, step.after.status) == (run, after)
    # What the run was made with stays what it was.
    for name in ("id", "pipeline", "trigger", "actor", "parameters", "slot", "retry_of", "created_at", "started_at"):
        assert getattr(step.after, name) == getattr(run, name)
    event = step.event
    assert (event.subject, event.run_id, event.kind) == (f"run:{RUN}", RUN, f"run.{after}")
    assert (event.actor, event.at, event.data["from"], event.seq) == ("user:bo", LATER, before, None)
    assert (step.after.finished_at == LATER) is step.after.status.terminal
    assert (step.after.evidence is not None) is step.after.status.terminal


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair not in LEGAL])
def test_an_illegal_step(before: RunStatus, after: RunStatus) -> None:
    with pytest.raises(IllegalTransition, match=f"run {RUN} is {before} and cannot become {after}") as raised:
        STEP_TO[after](in_state(before), actor="user:bo", at=LATER)
    assert (raised.value.run_id, raised.value.before, raised.value.after) == (RUN, before, after)


@pytest.mark.parametrize("status", RunStatus)
def test_only_a_pending_run_is_created(status: RunStatus) -> None:
    run = a_run(RUN, status=status, reason="because")
    if status is not RunStatus.PENDING:
        with pytest.raises(IllegalTransition, match=f"is not there yet and cannot become {status}"):
            steps.created(run)
        return
    step = steps.created(run)
    assert (step.before, step.after) == (None, run)
    assert (step.event.kind, step.event.actor, step.event.at) == ("run.created", "user:ann", LONG_AGO)
    assert step.event.data == {
        "pipeline": "flights",
        "trigger": "manual",
        "parameters": {"day": 1},
        "reason": "because",
    }


@pytest.mark.parametrize("status", [status for status in RunStatus if status.terminal])
@given(ago=st.timedeltas(timedelta(0), timedelta(days=3650)), started=st.booleans())
def test_no_run_ends_before_it_began(status: RunStatus, ago: timedelta, started: bool) -> None:
    """Even where the database's clock was set back meanwhile."""
    run = leading_to(STEP_TO[status])
    if not started:
        run = msgspec.structs.replace(run, started_at=None)
    began = run.started_at or run.created_at
    step = STEP_TO[status](run, actor="user:bo", at=began - ago)
    assert step.after.finished_at == step.event.at == began


@pytest.mark.parametrize("step", SAYING)
@given(text=st.text(), times=st.integers(1, 3000))
def test_a_message_is_cut_in_the_middle_and_says_so(step: Step, text: str, times: int) -> None:
    message = text * times
    said = step(leading_to(step), actor="user:bo", at=LATER, message=message).after.message
    assert said is not None and len(said) <= MESSAGE_LIMIT
    if len(message) <= MESSAGE_LIMIT:
        assert said == message
    else:
        begin, _, rest = said.partition("\n… ")
        if "\n… " not in message:
            left_out, _, end = rest.partition(" characters left out …\n")
            assert message.startswith(begin) and message.endswith(end)
            assert len(begin) + int(left_out) + len(end) == len(message)


@pytest.mark.parametrize("step", [released, failed, lost, skipped, cancelled])
def test_no_message_is_no_message(step: Step) -> None:
    assert step(leading_to(step), actor="user:bo", at=LATER, message=None).after.message is None


class TestClaimed:
    def test_the_first_attempt_starts_the_run_and_its_deadline(self) -> None:
        step = claimed(a_run(RUN), actor="attempt:x", at=LATER)
        run = step.after
        assert (run.attempt_id, run.attempts, run.started_at) == (SECOND, 1, LATER)
        assert run.run_deadline_at == LATER + timedelta(hours=1)
        assert step.event.data == {"from": "pending", "attempt": str(SECOND), "number": 1}

    def test_a_retry_gets_no_more_time(self) -> None:
        run = msgspec.structs.replace(in_state(RunStatus.PENDING), run_deadline_at=LONG_AGO)
        after = claimed(run, actor="a", at=LATER).after
        assert (after.run_deadline_at, after.started_at, after.attempts) == (LONG_AGO, run.started_at, 2)

    def test_what_nobody_had_said_before_is_declared(self) -> None:
        after = claimed(a_run(RUN), actor="a", at=LATER, declares={"code_version": "c1"}).after
        assert after.code_version == "c1"

    def test_a_takeover_is_said(self) -> None:
        assert claimed(in_state(RunStatus.RUNNING), actor="a", at=LATER).event.data["took_over_from"] == str(FIRST)
        assert "took_over_from" not in claimed(in_state(RunStatus.PENDING), actor="a", at=LATER).event.data

    def test_a_new_attempt_is_not_blamed_for_the_last(self) -> None:
        run = released(in_state(RunStatus.RUNNING), actor="a", at=LATER).after
        assert (run.cause, run.message) == (FailureCause.ERROR, "it broke")
        run = claimed(run, actor="a", at=LATER).after
        assert (run.cause, run.message) == (None, None)

    @pytest.mark.parametrize(
        ("attempts", "could", "can", "may"),
        [
            (0, True, True, True),
            (0, True, False, False),
            (1, True, False, True),
            (1, False, True, True),
            (1, False, False, False),
        ],
    )
    def test_what_an_earlier_attempt_could_have_published(
        self, attempts: int, could: bool, can: bool, may: bool
    ) -> None:
        run = a_run(RUN, attempts=attempts, may_publish=could)
        assert claimed(run, actor="a", at=LATER, may_publish=can).after.may_publish is may


def test_what_each_end_records() -> None:
    run = in_state(RunStatus.RUNNING)
    after = failed(run, actor="a", at=LATER)
    assert after.event.data == {"from": "running", "evidence": "exit", "cause": "signal", "message": "it broke"}
    assert (after.after.cause, after.after.duration) == (FailureCause.SIGNAL, 1.5)
    assert lost(run, actor="a", at=LATER).after.cause is FailureCause.UNKNOWN
    assert skipped(run, actor="a", at=LATER).event.data["skip_reason"] == "superseded"
    done = succeeded(msgspec.structs.replace(run, cause=FailureCause.ERROR, message="earlier"), actor="a", at=LATER)
    assert (done.after.cause, done.after.message, done.after.duration) == (None, None, 1.5)
    assert uncertain(run, actor="a", at=LATER).event.data["why"] == "the report database is away"
    assert cancelling(run, actor="a", at=LATER).event.data["reason"] == "not needed"
    assert released(run, actor="a", at=LATER).event.data == {
        "from": "running",
        "attempt": str(FIRST),
        "cause": "error",
    }


def test_terminal_means_that_nothing_follows() -> None:
    terminal = {status for status in RunStatus if status.terminal}
    assert terminal == {
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.LOST,
        RunStatus.CANCELLED,
        RunStatus.SKIPPED,
    }
    assert set(OPEN) == set(RunStatus) - terminal
    assert set(TRANSITIONS) == set(RunStatus)
