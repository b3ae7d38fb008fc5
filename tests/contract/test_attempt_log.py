"""What the supervisor may rely on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubescribe.application.ports.attempt_log import Beat, Claimed, Pulse
from kubescribe.domain import run as steps
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import AttemptNotFound, Fenced, IllegalTransition, RunClosed, RunMismatch
from kubescribe.domain.event import Notice
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run import Evidence, Run, Trigger
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import HERE, LONG_AGO, a_claim, a_run, failed, succeeded
from tests.support.runlogs import World


def taken(world: World, **changes: Any) -> Claimed:
    return world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new(), **changes)))


def again(world: World, claimed: Claimed, **changes: Any) -> Claimed:
    """A further attempt of the same run."""
    return world.run(world.attempt_log.claim(a_claim(claimed.run.id, world.ids.new(), **changes)))


def kinds(world: World, run: Run) -> list[str]:
    return [event.kind for event in world.run(world.history.events(run.id))]


def cancel(world: World, run: Run) -> None:
    moved = world.run(
        world.run_log.move(run.id, run.status, lambda r, at: steps.cancelling(r, actor="user:ann", at=at, reason=None))
    )
    assert moved is not None


class TestClaim:
    def test_makes_the_run_that_is_not_there(self, world: World) -> None:
        claimed = taken(
            world,
            trigger=Trigger.SCHEDULE,
            actor="schedule",
            reason="because",
            slot=LONG_AGO,
            code_version="c1",
            may_publish=False,
            fence=7,
            run_deadline=100.0,
        )
        run, attempt = claimed.run, claimed.attempt
        assert run == world.run(world.run_log.get(run.id))
        assert (attempt,) == world.run(world.history.attempts(run.id))
        assert (run.status, run.pipeline, run.trigger, run.actor) == ("running", "flights", "schedule", "schedule")
        assert (run.reason, run.slot, run.code_version, run.may_publish) == ("because", LONG_AGO, "c1", False)
        assert (run.attempts, run.attempt_id, attempt.number) == (1, attempt.id, 1)
        assert (attempt.fence, attempt.whereabouts, attempt.ended_at) == (7, HERE, None)
        assert attempt.lease_until > attempt.started_at
        assert run.started_at is not None and run.run_deadline_at == run.started_at + timedelta(seconds=100)
        assert claimed.run_deadline_in is not None and 90 < claimed.run_deadline_in <= 100
        assert kinds(world, run) == ["run.created", "run.running"]

    def test_takes_a_run_that_waits(self, world: World) -> None:
        run = world.run(world.run_log.create(a_run(world.ids.new())))
        claimed = world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new(), actor="somebody else")))
        assert claimed.run.status is RunStatus.RUNNING
        assert claimed.run.actor == run.actor
        assert 86000 < claimed.run_deadline_in <= 86400
        assert kinds(world, run) == ["run.created", "run.running"]

    def test_told_again_changes_nothing(self, world: World) -> None:
        claim = a_claim(world.ids.new(), world.ids.new())
        first = world.run(world.attempt_log.claim(claim))
        second = world.run(world.attempt_log.claim(claim))
        assert (second.run, second.attempt) == (first.run, first.attempt)
        assert second.run_deadline_in <= first.run_deadline_in
        assert kinds(world, first.run) == ["run.created", "run.running"]

    def test_told_again_of_a_closed_run_is_answered(self, world: World) -> None:
        claim = a_claim(world.ids.new(), world.ids.new())
        world.run(world.attempt_log.claim(claim))
        run = world.run(world.attempt_log.finish(claim.attempt_id, succeeded()))
        assert world.run(world.attempt_log.claim(claim)).run == run

    def test_takes_over_from_an_attempt_that_has_not_ended(self, world: World) -> None:
        first = taken(world, fence=1)
        second = again(world, first, fence=2)
        assert (second.run.attempts, second.attempt.number, second.run.attempt_id) == (2, 2, second.attempt.id)
        old, new = world.run(world.history.attempts(first.run.id))
        assert new == second.attempt
        assert old.ended_at is not None and old.ended_at >= old.started_at
        assert old.certificate is not None and old.certificate.cause is FailureCause.FENCED
        *_, event = world.run(world.history.events(first.run.id))
        assert event.data == {
            "attempt": str(second.attempt.id),
            "number": 2,
            "from": "running",
            "took_over_from": str(first.attempt.id),
        }
        assert world.run(world.attempt_log.beat(Beat(attempt_id=old.id, lease=60))) == Pulse(current=False)
        assert world.run(world.attempt_log.beat(Beat(attempt_id=new.id, lease=60))) == Pulse(current=True)

    def test_leaves_a_certificate_that_is_there(self, world: World) -> None:
        first = taken(world)
        world.run(world.attempt_log.finish(first.attempt.id, failed(status=RunStatus.PENDING)))
        again(world, first)
        old, _ = world.run(world.history.attempts(first.run.id))
        assert old.certificate == failed().certificate

    def test_keeps_the_deadline_of_the_run(self, world: World) -> None:
        first = taken(world, run_deadline=100.0)
        assert again(world, first, run_deadline=500.0).run.run_deadline_at == first.run.run_deadline_at

    def test_late_and_with_an_older_fence_takes_nothing(self, world: World) -> None:
        first = taken(world, fence=6)
        with pytest.raises(Fenced, match="newer fence"):
            again(world, first, fence=5)
        assert world.run(world.attempt_log.beat(Beat(attempt_id=first.attempt.id, lease=1))).current
        assert len(world.run(world.history.attempts(first.run.id))) == 1

    @pytest.mark.parametrize("outcome", [succeeded(), failed()])
    def test_of_a_closed_run_is_refused(self, world: World, outcome: Any) -> None:
        first = taken(world)
        world.run(world.attempt_log.finish(first.attempt.id, outcome))
        with pytest.raises(RunClosed, match=f"is {outcome.status}"):
            again(world, first)
        assert len(world.run(world.history.attempts(first.run.id))) == 1

    def test_of_a_run_that_is_being_cancelled_is_refused(self, world: World) -> None:
        first = taken(world)
        cancel(world, first.run)
        with pytest.raises(RunClosed, match="is cancelling"):
            again(world, first)

    def test_of_another_pipelines_run_is_refused(self, world: World) -> None:
        with pytest.raises(RunMismatch, match="is a run of flights, not of trains"):
            again(world, taken(world), pipeline="trains")

    def test_with_other_parameters_is_refused_by_name(self, world: World) -> None:
        with pytest.raises(RunMismatch, match=r"\(day, hour\)"):
            again(world, taken(world), parameters={"day": 2, "hour": None})

    def test_of_another_runs_attempt_is_refused(self, world: World) -> None:
        one, two = taken(world), taken(world)
        with pytest.raises(RunMismatch):
            world.run(world.attempt_log.claim(a_claim(two.run.id, one.attempt.id)))

    def test_happened_as_long_ago_as_it_says(self, world: World) -> None:
        told = taken(world)
        claimed = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new()), ago=3600))
        run = claimed.run
        assert run.started_at is not None and told.run.started_at is not None
        assert timedelta(minutes=59) < told.run.started_at - run.started_at < timedelta(minutes=61)
        assert run.started_at == claimed.attempt.started_at >= run.created_at
        # but the lease is held from now on: whoever tells it is alive
        assert claimed.attempt.lease_until > told.run.started_at

    def test_never_happened_before_its_run(self, world: World) -> None:
        run = world.run(world.run_log.create(a_run(world.ids.new())))
        claimed = world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new()), ago=3600))
        assert claimed.run.started_at == claimed.attempt.started_at == run.created_at


def closed(world: World, how: str) -> Claimed:
    """An attempt whose run is over, or about to be."""
    first = taken(world, fence=6)
    if how == "cancelling":
        cancel(world, first.run)
    else:
        world.run(world.attempt_log.finish(first.attempt.id, succeeded() if how == "succeeded" else failed()))
    return first


class TestClaimToldLate:
    """History: nobody loses a run to it, and a replayed spool loses nothing."""

    def late(self, world: World, first: Claimed, ago: float = 60.0, **changes: Any) -> Claimed:
        claim = a_claim(first.run.id, world.ids.new(), **changes)
        return world.run(world.attempt_log.claim(claim, ago=ago))

    @pytest.mark.parametrize(
        ("newest", "own"), [(None, None), (6, None), (None, 5), (6, 5)], ids=["none", "newest", "own", "older"]
    )
    def test_leaves_the_run_to_the_attempt_that_had_taken_it(
        self, world: World, newest: int | None, own: int | None
    ) -> None:
        first = taken(world, fence=newest)
        before = kinds(world, first.run), world.outbox()
        late = self.late(world, first, fence=own)
        assert not late.newest and late.run == first.run == world.run(world.run_log.get(first.run.id))
        assert (late.attempt.number, late.attempt.fence) == (2, own)
        assert late.attempt.ended_at is not None
        certificate = late.attempt.certificate
        assert certificate is not None and certificate.provisional
        assert certificate.cause is FailureCause.FENCED
        assert certificate.message == "attempt 1 had taken the run before this one was told"
        assert certificate.recorded_by == f"attempt:{late.attempt.id}"
        assert world.run(world.history.attempts(first.run.id)) == (first.attempt, late.attempt)
        assert (kinds(world, first.run), world.outbox()) == before
        assert world.run(world.attempt_log.beat(Beat(attempt_id=first.attempt.id, lease=60))).current
        assert not world.run(world.attempt_log.beat(Beat(attempt_id=late.attempt.id, lease=60))).current

    def test_of_a_run_that_waits_for_its_next_attempt_is_no_such_attempt(self, world: World) -> None:
        first = taken(world)
        run = world.run(world.attempt_log.finish(first.attempt.id, failed(status=RunStatus.PENDING)))
        late = self.late(world, first)
        assert late.run == run and not late.newest

    @pytest.mark.parametrize("how", ["succeeded", "failed", "cancelling"])
    @pytest.mark.parametrize("fence", [None, 5, 7])
    def test_of_a_closed_run_is_recorded(self, world: World, how: str, fence: int | None) -> None:
        first = closed(world, how)
        run, before = world.run(world.run_log.get(first.run.id)), kinds(world, first.run)
        late = self.late(world, first, fence=fence)
        assert late.run == run and not late.newest and kinds(world, run) == before
        certificate = late.attempt.certificate
        assert late.attempt.ended_at is not None and certificate is not None and certificate.provisional
        assert certificate.cause is (FailureCause.FENCED if how == "cancelling" else FailureCause.UNKNOWN)
        assert certificate.message is not None and f"the run was {how} already" in certificate.message

    def test_of_a_run_that_was_over_before_anybody_took_it_is_recorded(self, world: World) -> None:
        run = world.run(world.run_log.create(a_run(world.ids.new())))
        moved = world.run(
            world.run_log.move(run.id, run.status, lambda r, at: steps.cancelling(r, actor="a", at=at, reason=None))
        )
        assert moved is not None
        late = world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new()), ago=60))
        assert (late.run, late.attempt.number, late.run_deadline_in) == (moved, 1, 0.0)
        assert late.attempt.started_at == run.created_at

    def test_takes_over_when_it_came_after_the_newest_attempt(self, world: World) -> None:
        first = taken(world)
        world.age(3600)
        late = self.late(world, first)
        assert late.newest and late.run.status is RunStatus.RUNNING and late.attempt.number == 2
        old, _ = world.run(world.history.attempts(first.run.id))
        assert old.certificate is not None and not old.certificate.provisional

    def test_takes_over_with_a_newer_fence(self, world: World) -> None:
        """The report database has decided: the other can publish nothing any more."""
        first = taken(world, fence=6)
        late = self.late(world, first, fence=7)
        assert late.newest and world.run(world.run_log.get(first.run.id)).attempt_id == late.attempt.id

    def test_told_again_changes_nothing(self, world: World) -> None:
        first = taken(world)
        claim = a_claim(first.run.id, world.ids.new())
        one = world.run(world.attempt_log.claim(claim, ago=60))
        two = world.run(world.attempt_log.claim(claim, ago=70))
        assert (one.run, one.attempt) == (two.run, two.attempt)

    def test_the_next_to_take_the_run_has_a_number_of_its_own(self, world: World) -> None:
        first = taken(world)
        numbers = [self.late(world, first).attempt.number for _ in range(2)]
        third = again(world, first)
        assert (numbers, third.attempt.number, third.run.attempts) == ([2, 3], 4, 4)
        *_, event = world.run(world.history.events(first.run.id))
        assert event.data["number"] == 4
        assert self.late(world, first).attempt.number == 5

    def test_makes_a_verdict_ask_the_report_database(self, world: World) -> None:
        first = taken(world, may_publish=False)
        late = self.late(world, first, fence=5)
        assert late.run.may_publish and world.run(world.run_log.get(first.run.id)) == late.run
        run = world.run(world.attempt_log.finish(first.attempt.id, failed()))
        assert run.may_publish

    def test_its_notes_output_and_end_follow(self, world: World) -> None:
        first = taken(world)
        world.run(world.attempt_log.finish(first.attempt.id, succeeded()))
        world.age(3600)
        before = world.run(world.run_log.get(first.run.id)), kinds(world, first.run), world.outbox()
        late = self.late(world, first, ago=600)
        log = world.attempt_log
        for _ in range(2):  # told again it changes nothing
            world.run(log.note((Note(attempt_id=late.attempt.id, seq=1, kind=NoteKind.NOTE, data={}),)))
            world.run(log.log(chunk(late, 1)))
            run = world.run(log.finish(late.attempt.id, failed(FailureCause.OOM_KILLED), ago=300))
            assert (run, kinds(world, run), world.outbox()) == before
            own, filed = world.run(world.history.attempts(run.id))
            assert own.certificate == succeeded().certificate
            assert filed.certificate == failed(FailureCause.OOM_KILLED).certificate
            assert filed.ended_at is not None
            assert timedelta(minutes=4) < filed.ended_at - filed.started_at < timedelta(minutes=6)
            assert len(world.run(world.history.notes(run.id))) == 1
            assert len(world.run(world.history.output(late.attempt.id))) == 1
            world.run(log.finish(late.attempt.id, succeeded()))

    def test_its_end_does_not_decide_the_run_that_another_holds(self, world: World) -> None:
        first = taken(world)
        late = self.late(world, first)
        assert world.run(world.attempt_log.finish(late.attempt.id, failed(), ago=30)) == first.run
        assert world.run(world.attempt_log.beat(Beat(attempt_id=first.attempt.id, lease=60))).current

    def test_its_rows_in_the_ledger_have_the_last_word(self, world: World) -> None:
        first = taken(world)
        late = self.late(world, first, fence=5)
        run = world.run(world.attempt_log.finish(late.attempt.id, succeeded(published=True), ago=30))
        assert (run.status, run.evidence) == (RunStatus.SUCCEEDED, Evidence.LEDGER)

    def test_of_another_pipelines_run_is_refused(self, world: World) -> None:
        with pytest.raises(RunMismatch):
            self.late(world, taken(world), pipeline="trains")


class TestBeat:
    def test_renews_the_lease_and_keeps_what_was_told(self, world: World) -> None:
        attempt = taken(world, lease=1.0).attempt
        log = world.attempt_log
        world.run(log.beat(Beat(attempt_id=attempt.id, lease=600, progress=0.5, progress_text="half", memory=2**40)))
        world.run(log.beat(Beat(attempt_id=attempt.id, lease=600, cpu_seconds=1.5)))
        (now,) = world.run(world.history.attempts(attempt.run_id))
        assert now.lease_until > attempt.lease_until + timedelta(minutes=9)
        assert (now.progress, now.progress_text, now.memory, now.cpu_seconds) == (0.5, "half", 2**40, 1.5)

    def test_says_that_a_cancel_was_asked_for(self, world: World) -> None:
        claimed = taken(world)
        cancel(world, claimed.run)
        pulse = world.run(world.attempt_log.beat(Beat(attempt_id=claimed.attempt.id, lease=60)))
        assert pulse == Pulse(current=True, cancel_asked=True)

    def test_of_an_uncertain_run_is_current_and_moves_nothing(self, world: World) -> None:
        claimed = taken(world)
        world.run(
            world.run_log.move(
                claimed.run.id, RunStatus.RUNNING, lambda r, at: steps.uncertain(r, actor="r", at=at, why="?")
            )
        )
        assert world.run(world.attempt_log.beat(Beat(attempt_id=claimed.attempt.id, lease=60))).current
        assert world.run(world.run_log.get(claimed.run.id)).status is RunStatus.UNCERTAIN

    @pytest.mark.parametrize("outcome", [succeeded(), failed(), failed(status=RunStatus.PENDING)])
    def test_of_an_ended_attempt_is_not_current_and_changes_nothing(self, world: World, outcome: Any) -> None:
        attempt = taken(world).attempt
        world.run(world.attempt_log.finish(attempt.id, outcome))
        before = world.run(world.history.attempts(attempt.run_id))
        assert not world.run(world.attempt_log.beat(Beat(attempt_id=attempt.id, lease=60, progress=0.9))).current
        assert world.run(world.history.attempts(attempt.run_id)) == before

    def test_of_a_given_up_attempt_is_not_current(self, world: World) -> None:
        claimed = taken(world)
        gone = DeathCertificate(cause=FailureCause.LEASE_EXPIRED)
        world.run(
            world.run_log.move(
                claimed.run.id,
                RunStatus.RUNNING,
                lambda r, at: steps.uncertain(r, actor="r", at=at, why="?"),
                attempt_id=claimed.attempt.id,
                certificate=gone,
            )
        )
        assert not world.run(world.attempt_log.beat(Beat(attempt_id=claimed.attempt.id, lease=60))).current

    def test_of_an_unknown_attempt_says_so(self, world: World) -> None:
        with pytest.raises(AttemptNotFound):
            world.run(world.attempt_log.beat(Beat(attempt_id=world.ids.new(), lease=60)))


class TestNote:
    def test_keeps_each_once_in_the_attempts_order(self, world: World) -> None:
        first = taken(world)
        second = again(world, first)

        def notes(attempt: Claimed, *seqs: int) -> tuple[Note, ...]:
            return tuple(
                Note(attempt_id=attempt.attempt.id, seq=seq, kind=NoteKind.METRIC, data={"name": "rows", "value": seq})
                for seq in seqs
            )

        for told in (notes(second, 2, 1), notes(first, 3, 1, 3), notes(first, 1, 2), ()):
            world.run(world.attempt_log.note(told))
        kept = world.run(world.history.notes(first.run.id))
        assert [(note.attempt_id, note.seq) for note in kept] == [
            (claimed.attempt.id, seq) for claimed, count in ((first, 3), (second, 2)) for seq in range(1, count + 1)
        ]
        assert all(note.at is not None and note.data["value"] == note.seq for note in kept)

    def test_the_first_telling_counts(self, world: World) -> None:
        attempt = taken(world).attempt
        for text in ("first", "second"):
            note = Note(attempt_id=attempt.id, seq=1, kind=NoteKind.NOTE, data={"text": text})
            world.run(world.attempt_log.note((note,), ago=5.0))
        (kept,) = world.run(world.history.notes(attempt.run_id))
        assert kept.data == {"text": "first"}

    def test_of_an_unknown_attempt_says_so(self, world: World) -> None:
        note = Note(attempt_id=world.ids.new(), seq=1, kind=NoteKind.NOTE, data={})
        with pytest.raises(AttemptNotFound):
            world.run(world.attempt_log.note((note,)))


def chunk(claimed: Claimed, seq: int, text: str = "") -> LogChunk:
    lines = (LogLine(0.25, "out", text or f"line {seq}"), LogLine(0.5, "err", "über"))
    return LogChunk(attempt_id=claimed.attempt.id, seq=seq, lines=lines)


class TestLog:
    def test_keeps_each_chunk_once(self, world: World) -> None:
        claimed = taken(world)
        for seq, text in ((2, ""), (1, ""), (2, "again")):
            world.run(world.attempt_log.log(chunk(claimed, seq, text)))
        assert world.run(world.history.output(claimed.attempt.id)) == (chunk(claimed, 1), chunk(claimed, 2))
        assert world.run(world.history.output(claimed.attempt.id, after=1)) == (chunk(claimed, 2),)

    def test_forgets_the_middle(self, world: World) -> None:
        claimed, other = taken(world), taken(world)
        for seq in range(1, 6):
            world.run(world.attempt_log.log(chunk(claimed, seq)))
            world.run(world.attempt_log.log(chunk(other, seq)))
        for _ in range(2):
            world.run(world.attempt_log.log(chunk(claimed, 6), forget=(2, 4)))
        assert [c.seq for c in world.run(world.history.output(claimed.attempt.id))] == [1, 5, 6]
        assert [c.seq for c in world.run(world.history.output(other.attempt.id))] == [1, 2, 3, 4, 5]

    def test_of_an_unknown_attempt_says_so(self, world: World) -> None:
        with pytest.raises(AttemptNotFound):
            world.run(world.attempt_log.log(LogChunk(attempt_id=world.ids.new(), seq=1, lines=())))


class TestFinish:
    def test_well(self, world: World) -> None:
        claimed = taken(world)
        run = world.run(world.attempt_log.finish(claimed.attempt.id, succeeded()))
        assert run == world.run(world.run_log.get(run.id))
        assert (run.status, run.evidence, run.duration, run.cause) == ("succeeded", Evidence.EXIT, 1.5, None)
        assert run.finished_at is not None and run.started_at is not None
        assert run.finished_at >= run.started_at >= run.created_at
        (attempt,) = world.run(world.history.attempts(run.id))
        assert attempt.certificate == succeeded().certificate
        assert attempt.ended_at == run.finished_at
        assert world.outbox() == []

    def test_badly_is_due_to_be_told(self, world: World) -> None:
        claimed = taken(world)
        run = world.run(world.attempt_log.finish(claimed.attempt.id, failed(FailureCause.OOM_KILLED, "too big")))
        assert (run.status, run.cause, run.message) == ("failed", FailureCause.OOM_KILLED, "too big")
        assert world.outbox() == [Notice(run_id=run.id, kind="incident.opened", pipeline="flights", incident_id=1)]
        *_, event = world.run(world.history.events(run.id))
        assert event.kind == "run.failed" and event.at == run.finished_at
        assert event.data == {"from": "running", "evidence": "exit", "cause": "oom_killed", "message": "too big"}

    def test_with_nothing_to_do(self, world: World) -> None:
        outcome = succeeded(status=RunStatus.SKIPPED, skip_reason=SkipReason.SUPERSEDED)
        run = world.run(world.attempt_log.finish(taken(world).attempt.id, outcome))
        assert (run.status, run.skip_reason) == ("skipped", SkipReason.SUPERSEDED)
        assert world.outbox() == []

    def test_and_leave_the_run_to_the_next(self, world: World) -> None:
        run = world.run(world.attempt_log.finish(taken(world).attempt.id, failed(status=RunStatus.PENDING)))
        assert (run.status, run.cause, run.finished_at) == ("pending", FailureCause.ERROR, None)
        assert world.outbox() == []

    @pytest.mark.parametrize(
        "outcome", [succeeded(), succeeded(published=True), failed(), failed(status=RunStatus.PENDING)]
    )
    def test_told_again_changes_nothing(self, world: World, outcome: Any) -> None:
        attempt = taken(world).attempt
        run = world.run(world.attempt_log.finish(attempt.id, outcome))
        before = (world.run(world.history.attempts(run.id)), kinds(world, run), world.outbox())
        for second in (outcome, failed(message="something else")):
            assert world.run(world.attempt_log.finish(attempt.id, second)) == run
        assert (world.run(world.history.attempts(run.id)), kinds(world, run), world.outbox()) == before

    def test_a_terminal_run_is_never_changed(self, world: World) -> None:
        claimed = taken(world)
        run = world.run(world.attempt_log.finish(claimed.attempt.id, failed()))
        assert world.run(world.attempt_log.finish(claimed.attempt.id, succeeded(published=True))) == run

    def test_of_an_attempt_that_was_taken_over_ends_the_attempt_alone(self, world: World) -> None:
        first = taken(world)
        second = again(world, first)
        assert world.run(world.attempt_log.finish(first.attempt.id, failed())) == second.run
        old, new = world.run(world.history.attempts(first.run.id))
        assert old.certificate is not None and old.certificate.cause is FailureCause.FENCED
        assert new.ended_at is None

    @pytest.mark.parametrize("state", ["running", "pending", "uncertain", "cancelling"])
    def test_with_rows_in_the_ledger_succeeds_from_any_open_state(self, world: World, state: str) -> None:
        first = taken(world)
        if state == "running":
            again(world, first)
        elif state == "pending":
            world.run(world.attempt_log.finish(first.attempt.id, failed(status=RunStatus.PENDING)))
        elif state == "cancelling":
            cancel(world, first.run)
        else:
            world.run(
                world.run_log.move(
                    first.run.id, RunStatus.RUNNING, lambda r, at: steps.uncertain(r, actor="r", at=at, why="?")
                )
            )
        run = world.run(world.attempt_log.finish(first.attempt.id, succeeded(published=True)))
        assert (run.status, run.evidence) == ("succeeded", Evidence.LEDGER)

    def test_of_a_run_that_is_being_cancelled_ends_the_attempt_alone(self, world: World) -> None:
        claimed = taken(world)
        cancel(world, claimed.run)
        assert world.run(world.attempt_log.finish(claimed.attempt.id, succeeded())).status is RunStatus.CANCELLING
        (attempt,) = world.run(world.history.attempts(claimed.run.id))
        assert attempt.ended_at is not None

    def test_of_an_uncertain_run_decides(self, world: World) -> None:
        claimed = taken(world)
        world.run(
            world.run_log.move(
                claimed.run.id,
                RunStatus.RUNNING,
                lambda r, at: steps.uncertain(r, actor="r", at=at, why="?"),
                attempt_id=claimed.attempt.id,
                certificate=DeathCertificate(cause=FailureCause.LEASE_EXPIRED),
            )
        )
        assert world.run(world.attempt_log.finish(claimed.attempt.id, succeeded())).status is RunStatus.SUCCEEDED
        (attempt,) = world.run(world.history.attempts(claimed.run.id))
        assert attempt.certificate == DeathCertificate(cause=FailureCause.LEASE_EXPIRED)

    def test_happened_as_long_ago_as_it_says_and_never_before_its_attempt(self, world: World) -> None:
        first, second = taken(world), taken(world)
        world.age(3600)
        run = world.run(world.attempt_log.finish(first.attempt.id, succeeded(), ago=60))
        assert run.finished_at is not None and run.started_at is not None
        assert timedelta(minutes=58) < run.finished_at - run.started_at < timedelta(minutes=60)
        run = world.run(world.attempt_log.finish(second.attempt.id, failed(), ago=7200))
        assert run.finished_at == run.started_at
        (attempt,) = world.run(world.history.attempts(run.id))
        assert attempt.ended_at == attempt.started_at

    def test_of_an_unknown_attempt_says_so(self, world: World) -> None:
        with pytest.raises(AttemptNotFound):
            world.run(world.attempt_log.finish(world.ids.new(), succeeded()))

    def test_to_a_state_that_an_attempt_cannot_give_is_refused_and_changes_nothing(self, world: World) -> None:
        claimed = taken(world)
        with pytest.raises(IllegalTransition):
            world.run(world.attempt_log.finish(claimed.attempt.id, succeeded(status=RunStatus.LOST)))
        assert world.run(world.history.attempts(claimed.run.id)) == (claimed.attempt,)


def test_eight_claims_at_once_leave_one_attempt_current(world: World) -> None:
    run_id = world.ids.new()
    attempts = [world.ids.new() for _ in range(8)]
    logs = [world.another() for _ in attempts]

    async def everybody() -> list[Claimed]:
        claims = (log.claim(a_claim(run_id, attempt_id)) for log, attempt_id in zip(logs, attempts, strict=True))
        return await asyncio.gather(*claims)

    world.run(everybody())
    run = world.run(world.run_log.get(run_id))
    kept = world.run(world.history.attempts(run_id))
    assert [attempt.number for attempt in kept] == list(range(1, 9))
    pulses = {a: world.run(world.attempt_log.beat(Beat(attempt_id=a, lease=60))).current for a in attempts}
    assert [a for a, current in pulses.items() if current] == [run.attempt_id] == [kept[-1].id]
    assert kinds(world, run) == ["run.created"] + 8 * ["run.running"]
