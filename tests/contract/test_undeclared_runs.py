"""A worker that ends before it has said what its run is takes nothing from the attempts that do."""

from __future__ import annotations

import pytest

from kubescribe.domain.errors import RunMismatch
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, a_run, failed
from tests.support.runlogs import World

UNCERTAIN = {"status": RunStatus.UNCERTAIN, "exit_code": 75}


def lost_answer() -> Outcome:
    return failed(FailureCause.UNAVAILABLE, "the answer to COMMIT was lost", **UNCERTAIN)


def test_the_first_attempt_that_declares_itself_says_what_the_run_is(world: World) -> None:
    run_id, first, second = world.ids.new(), world.ids.new(), world.ids.new()
    silent = world.run(world.attempt_log.claim(a_claim(run_id, first, parameters=None)))
    assert silent.run.parameters == {}
    world.run(world.attempt_log.finish(first, failed(status=RunStatus.PENDING)))
    world.run(world.attempt_log.claim(a_claim(run_id, second, parameters={"day": 7}, code_version="abc")))
    run = world.run(world.run_log.get(run_id))
    assert (run.parameters, run.code_version, run.attempts) == ({"day": 7}, "abc", 2)
    with pytest.raises(RunMismatch):
        world.run(world.attempt_log.claim(a_claim(run_id, world.ids.new(), parameters={"day": 8})))


def test_a_silent_attempt_takes_a_run_that_was_accepted_with_parameters(world: World) -> None:
    accepted = world.run(world.run_log.create(a_run(world.ids.new())))
    world.run(world.attempt_log.claim(a_claim(accepted.id, world.ids.new(), parameters=None)))
    assert world.run(world.run_log.get(accepted.id)).parameters == accepted.parameters


def test_a_lost_answer_leaves_the_run_uncertain_with_the_attempt_ended(world: World) -> None:
    run_id, attempt_id = world.ids.new(), world.ids.new()
    world.run(world.attempt_log.claim(a_claim(run_id, attempt_id)))
    run = world.run(world.attempt_log.finish(attempt_id, lost_answer()))
    assert (run.status, run.message) == (RunStatus.UNCERTAIN, "the answer to COMMIT was lost")
    assert world.run(world.attempt_log.finish(attempt_id, lost_answer())) == run
    (attempt,) = world.run(world.history.attempts(run_id))
    assert attempt.ended_at is not None
