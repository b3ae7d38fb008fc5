"""Accepting runs: once for a key, whoever asks and however often."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.adapters.postgres.run_requests import PostgresRunRequests
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.application.ports.run_requests import Accepted, RunRequests
from kubescribe.domain.errors import KeyReused, RunNotFound
from kubescribe.domain.launch import Launch
from kubescribe.domain.request_key import KEPT, RequestKey
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, a_run
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

KEY = RequestKey.of("order 66", {"pipeline": "flights", "parameters": {"day": 1}})
OTHER = RequestKey.of("order 66", {"pipeline": "flights", "parameters": {"day": 2}})


@pytest.fixture
def requests(world: World) -> RunRequests:
    if isinstance(world, MemoryWorld):
        return MemoryRunRequests(world.database)
    assert isinstance(world, PostgresWorld)
    return PostgresRunRequests(world.engine)


def ask(world: World, requests: RunRequests, key: RequestKey | None = KEY, **changes: Any) -> Accepted:
    return world.run(requests.accept(a_run(world.ids.new(), **changes), key=key, start_deadline=60))


def all_runs(world: World, tenant: str = "default") -> tuple[Run, ...]:
    return world.run(world.run_log.find(RunFilter(tenant=tenant), limit=500)).runs


def test_a_new_request_makes_a_run_whose_launch_is_due(world: World, requests: RunRequests) -> None:
    accepted = ask(world, requests, None)
    assert accepted.new and accepted.run.launch is Launch.DUE and accepted.run.status is RunStatus.PENDING
    assert accepted.run.start_deadline_at == accepted.run.created_at + timedelta(seconds=60)
    assert all_runs(world) == (accepted.run,)
    assert [event.kind for event in world.run(world.history.events(accepted.run.id))] == ["run.created"]


def test_the_event_says_how_and_why_it_was_asked_for(world: World, requests: RunRequests) -> None:
    run = a_run(world.ids.new(), reason="the month is over")
    accepted = world.run(requests.accept(run, facts={"more": 1}, method="POST /runs/trigger"))
    (event,) = world.run(world.history.events(accepted.run.id))
    assert (event.method, event.reason, event.before) == ("POST /runs/trigger", "the month is over", None)
    assert (event.after, event.data["more"]) == ({"status": "pending"}, 1)


def test_the_same_key_and_request_is_the_same_run(world: World, requests: RunRequests) -> None:
    first, again = ask(world, requests), ask(world, requests)
    assert (first.new, again.new) == (True, False)
    assert again.run == first.run and all_runs(world) == (first.run,)
    assert len(world.run(world.history.events(first.run.id))) == 1


def test_the_answer_is_the_run_as_it_is_by_now(world: World, requests: RunRequests) -> None:
    first = ask(world, requests)
    running = world.run(world.attempt_log.claim(a_claim(first.run.id, world.ids.new()))).run
    assert ask(world, requests).run == running


def test_the_same_key_for_another_request_is_refused(world: World, requests: RunRequests) -> None:
    first = ask(world, requests)
    with pytest.raises(KeyReused, match=str(first.run.id)) as caught:
        ask(world, requests, OTHER)
    assert (caught.value.key, caught.value.run_id) == ("order 66", first.run.id)
    assert all_runs(world) == (first.run,)


def test_each_tenant_has_keys_of_its_own(world: World, requests: RunRequests) -> None:
    ours, theirs = ask(world, requests), ask(world, requests, OTHER, tenant="other")
    assert ours.new and theirs.new
    again = (ask(world, requests), ask(world, requests, OTHER, tenant="other"))
    assert [(one.new, one.run) for one in again] == [(False, ours.run), (False, theirs.run)]
    assert (all_runs(world), all_runs(world, "other")) == ((ours.run,), (theirs.run,))


def test_an_old_key_is_a_new_one(world: World, requests: RunRequests) -> None:
    first = ask(world, requests)
    world.age((KEPT - timedelta(minutes=5)).total_seconds())
    assert not ask(world, requests).new
    world.age(600)
    second = ask(world, requests, OTHER)
    assert second.new and {run.id for run in all_runs(world)} == {first.run.id, second.run.id}
    assert not ask(world, requests, OTHER).new


def test_old_keys_go_with_new_ones(world: World, requests: RunRequests) -> None:
    for number in range(3):
        ask(world, requests, RequestKey.of(f"old {number}", {}))
    world.age((KEPT + timedelta(minutes=5)).total_seconds())
    ask(world, requests)
    if isinstance(world, PostgresWorld):
        assert world.ask("SELECT key FROM request_key") == [("order 66",)]


def test_a_hundred_at_once_make_one_run(world: World, requests: RunRequests) -> None:
    async def all_of_them() -> list[Accepted]:
        runs = [a_run(world.ids.new()) for _ in range(100)]
        return await asyncio.gather(*(requests.accept(run, key=KEY) for run in runs))

    answers = world.run(all_of_them())
    assert len({answer.run.id for answer in answers}) == 1
    assert [answer.new for answer in answers].count(True) == 1
    (run,) = all_runs(world)
    assert run.id == answers[0].run.id and len(world.run(world.history.events(run.id))) == 1


class TestLaunch:
    def test_its_start_deadline_counts_from_the_launch(self, world: World, requests: RunRequests) -> None:
        run = ask(world, requests, None).run
        (found,) = world.run(world.run_log.open_runs())
        assert not found.launch_late
        world.age(3600)
        (found,) = world.run(world.run_log.open_runs())
        assert found.launch_late and not found.start_deadline_passed
        world.run(requests.launched(run.id))
        (found,) = world.run(world.run_log.open_runs())
        assert found.run.launch is Launch.STARTED and not (found.start_deadline_passed or found.launch_late)
        world.age(61)
        (found,) = world.run(world.run_log.open_runs())
        assert found.start_deadline_passed

    def test_why_it_waits_is_its_message_until_it_is_launched(self, world: World, requests: RunRequests) -> None:
        run = ask(world, requests, None).run
        told = world.run(requests.waiting(run.id, "8 are at work"))
        assert told == world.run(world.run_log.get(run.id)) and told.message == "8 are at work"
        launched = world.run(requests.launched(run.id))
        assert launched == world.run(world.run_log.get(run.id)) and launched.message is None
        world.run(requests.waiting(run.id, "too late to wait"))
        assert world.run(world.run_log.get(run.id)).message is None

    def test_who_takes_the_run_has_launched_it(self, world: World, requests: RunRequests) -> None:
        run = ask(world, requests, None).run
        running = world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new()))).run
        assert running.launch is Launch.STARTED
        assert world.run(requests.launched(run.id)) == running
        assert world.run(requests.waiting(run.id, "it waits")) == running
        assert world.run(world.run_log.get(run.id)) == running

    def test_an_unknown_run_is_said_to_be_unknown(self, world: World, requests: RunRequests) -> None:
        with pytest.raises(RunNotFound):
            world.run(requests.launched(world.ids.new()))
        with pytest.raises(RunNotFound):
            world.run(requests.waiting(world.ids.new(), "it waits"))
