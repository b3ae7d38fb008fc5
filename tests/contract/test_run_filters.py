"""Every way to narrow the history down, held to a filter in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import OPEN, RunStatus
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.runlogs import World


def fill(world: World) -> list[Run]:
    """A dozen runs, unlike in everything that can be asked for; oldest first."""
    made: list[Run] = []
    for number in range(12):
        run = a_run(
            world.ids.new(),
            pipeline=("flights", "trains")[number % 2],
            trigger=(Trigger.MANUAL, Trigger.API, Trigger.SCHEDULE)[number % 3],
            actor=("user:ann", "user:an", "user:anna")[number // 4],
            parameters={"day": number % 4, "to": {"x": [1, 2, number]}, "yes": number % 2 == 0, "one": 1},
            retry_of=made[2].id if number in (5, 7) else None,
            mode=RunMode.REHEARSE if number == 3 else RunMode.PUBLISH,
        )
        world.run(world.run_log.create(run))
        if number % 4:
            claim = a_claim(run.id, world.ids.new(), pipeline=run.pipeline, parameters=None, mode=run.mode)
            attempt_id = world.run(world.attempt_log.claim(claim)).attempt.id
            if number % 4 > 1:
                end = failed() if number % 4 == 2 else succeeded()
                world.run(world.attempt_log.finish(attempt_id, end))
        made.append(world.run(world.run_log.get(run.id)))
        world.age(60)
    return [world.run(world.run_log.get(run.id)) for run in made]


CASES: dict[str, tuple[Callable[[list[Run]], dict[str, Any]], Callable[[Run, list[Run]], bool]]] = {
    "anything": (lambda runs: {}, lambda run, runs: True),
    "pipeline": (lambda runs: {"pipeline": "flights"}, lambda run, runs: run.pipeline == "flights"),
    "one status": (
        lambda runs: {"statuses": (RunStatus.FAILED,)},
        lambda run, runs: run.status is RunStatus.FAILED,
    ),
    "statuses": (
        lambda runs: {"statuses": (RunStatus.FAILED, RunStatus.SUCCEEDED, RunStatus.FAILED)},
        lambda run, runs: run.status in (RunStatus.FAILED, RunStatus.SUCCEEDED),
    ),
    "open": (lambda runs: {"statuses": OPEN}, lambda run, runs: not run.status.terminal),
    "no status": (lambda runs: {"statuses": ()}, lambda run, runs: False),
    "mode": (lambda runs: {"mode": RunMode.REHEARSE}, lambda run, runs: run.mode is RunMode.REHEARSE),
    "trigger": (lambda runs: {"trigger": Trigger.API}, lambda run, runs: run.trigger is Trigger.API),
    "actor": (lambda runs: {"actor": "user:ann"}, lambda run, runs: run.actor == "user:ann"),
    "from": (
        lambda runs: {"created_from": runs[4].created_at},
        lambda run, runs: run.created_at >= runs[4].created_at,
    ),
    "until": (
        lambda runs: {"created_until": runs[4].created_at},
        lambda run, runs: run.created_at < runs[4].created_at,
    ),
    "a parameter": (lambda runs: {"parameters": {"day": 3}}, lambda run, runs: run.parameters["day"] == 3),
    "an inner one": (
        lambda runs: {"parameters": {"to": {"x": [7]}}},
        lambda run, runs: 7 in run.parameters["to"]["x"],
    ),
    "true is not 1": (lambda runs: {"parameters": {"yes": 1}}, lambda run, runs: False),
    "1 is not true": (lambda runs: {"parameters": {"one": True}}, lambda run, runs: False),
    "text is no number": (lambda runs: {"parameters": {"day": "3"}}, lambda run, runs: False),
    "not in there": (lambda runs: {"parameters": {"day": 3, "nothing": None}}, lambda run, runs: False),
    "retries": (lambda runs: {"retry_of": runs[2].id}, lambda run, runs: run.retry_of == runs[2].id),
    "several": (
        lambda runs: {"pipeline": "trains", "statuses": OPEN, "actor": "user:an", "parameters": {"one": 1}},
        lambda run, runs: (run.pipeline, run.actor, run.status.terminal) == ("trains", "user:an", False),
    ),
}


def test_each_way_finds_what_fits_page_by_page(world: World) -> None:
    runs = fill(world)
    for name, (changes, fits) in CASES.items():
        which = msgspec.structs.replace(RunFilter(), **changes(runs))
        expected = [run for run in reversed(runs) if fits(run, runs)]
        for limit in (1, 3, 50):
            found: list[Run] = []
            before = None
            while True:
                page = world.run(world.run_log.find(which, limit=limit, before=before))
                assert len(page.runs) <= limit
                found += page.runs
                if (before := page.next) is None:
                    break
            assert found == expected, f"{name}, {limit} a page"


@pytest.mark.parametrize("hostile", ["a\0b", "'; DROP TABLE run; --", "\ud800", "%", "_"])
def test_what_nobody_would_write_finds_nothing_and_breaks_nothing(world: World, hostile: str) -> None:
    run = world.run(world.run_log.create(a_run(world.ids.new())))
    for changes in ({"pipeline": hostile}, {"actor": hostile}, {"parameters": {hostile: hostile}}):
        which = msgspec.structs.replace(RunFilter(), **changes)
        assert world.run(world.run_log.find(which)).runs == ()
    soon = RunFilter(created_from=run.created_at + timedelta(days=1))
    assert world.run(world.run_log.find(soon)).runs == ()
