"""The publisher's connection is cut after any byte, there or back: the old report, or the new one."""

from __future__ import annotations

import random

import pytest

from kubescribe.domain.errors import CommitUnknown, DatabaseUnavailable
from tests.support.modes import MODES, expect_whole, numbered
from tests.support.proxy import Proxy
from tests.support.publishing import World, run

pytestmark = pytest.mark.integration

CUTS = 25
"""For each mode and direction: 200 in all."""


@pytest.mark.parametrize("direction", ["answered", "sent"])
@pytest.mark.parametrize("mode", MODES)
def test_a_cut_after_any_byte(world: World, through: World, proxy: Proxy, mode: str, direction: str) -> None:
    numbers = {}
    first = world.attempt()
    numbers[first.run_id] = 1
    first.publish(numbered(first, 1, mode))
    second = through.attempt()
    numbers[second.run_id] = 2
    staged = numbered(second, 2, mode)
    proxy.cut_after()
    second.publish(staged)
    whole = proxy.passed if direction == "answered" else proxy.sent
    failed = 0
    for number, place in enumerate(sorted(random.Random(whole).sample(range(1, whole), CUTS)), 3):
        proxy.cut_after()
        attempt = through.attempt()
        staged = numbered(attempt, number, mode)
        numbers[attempt.run_id] = number
        before = world.read("airports")
        proxy.cut_after(**{direction: place})
        try:
            attempt.publish(staged)
        except (DatabaseUnavailable, CommitUnknown):
            failed += 1
            done = run(world.fences.publications(attempt.run_id))
            assert done or world.read("airports") == before
        else:
            assert run(world.fences.publications(attempt.run_id))
        expect_whole(world, mode, numbers)
    assert failed >= CUTS // 2
