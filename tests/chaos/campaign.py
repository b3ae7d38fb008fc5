"""One process's share of a campaign: draw a plot, play it, recover, check, and report."""

from __future__ import annotations

import itertools
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.support.case import left_over
from tests.support.faults import Action, Fault, play
from tests.support.kube.faulty_world import FaultyCluster
from tests.support.world import World

from .plots import Only, draw

WORLD_FOR = 50
"""Cases in one world; then another one is made, so that what one case leaves is not there for ever."""


class Case(NamedTuple):
    """What became of one case."""

    number: int
    """The seed that draws it again."""
    text: str
    """What was done, and for a broken case how it was broken."""
    held: bool
    seconds: float
    acts: Counter[str]
    """What was done, by category: see ``World.acts``; and what was published."""


def cases(numbers: range, only: Only, until: float | None) -> Iterator[Case]:
    """Play these cases, until this moment of the monotonic clock."""
    waiting = iter(numbers)
    while some := list(itertools.islice(waiting, WORLD_FOR)):
        yield from _in_one_world(some, only, lambda: until is not None and time.monotonic() > until)


def _in_one_world(numbers: list[int], only: Only, over: Callable[[], bool]) -> Iterator[Case]:
    while numbers and not over():
        with FaultyCluster() if only is Only.CLUSTER else World() as world:
            play(world, Fault("attempt.started", Action.NOTHING))  # so that there are versions to retire
            world.acts.clear()
            number = numbers[0]
            while numbers and not over() and not world.spoiled:
                number = numbers.pop(0)
                yield _case(world, number, only)
            if not world.spoiled and (left := left_over(world)):
                text = f"after all cases of this world there are {left}"
                yield Case(number, text, held=False, seconds=0, acts=Counter())


def _case(world: World, number: int, only: Only) -> Case:
    plot = draw(number, only)
    world.dice = random.Random(number)
    began, published = time.monotonic(), world.history.published.copy()
    broken = ""
    try:
        plot.act(world)
    except Exception:
        broken = f"\n{traceback.format_exc()}"
    acts = world.acts + (world.history.published - published)
    took = time.monotonic() - began
    try:
        world.tidy()
    except Exception:
        broken += f"\nand the world does not become quiet:\n{traceback.format_exc()}"
        world.spoiled = True
    return Case(number, plot.text + broken, not broken, took, acts)
