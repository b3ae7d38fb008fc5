"""What may be done to a run, drawn at random; the same number always draws the same plot."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import NamedTuple

from tests.support import races
from tests.support.case import Case
from tests.support.faults import ACTIONS, COMMAND, Action, Fault, play
from tests.support.invariants import check
from tests.support.run_steps import CLAIMED, COMMAND_STEPS, PUBLISHING, STEPS, WITH_WORKER
from tests.support.supervised import NotReached
from tests.support.waiting import wait_for
from tests.support.world import DATABASES, World

_KINDS = {"one": 50, "several": 30, "race": 10, "crowd": 10}
"""How often each kind of plot is drawn, in percent."""
_NEEDS_WORKER = (Action.KILL_WORKER, Action.KILL_WORKER_AT_LAST, Action.KILL_BOTH)
_PATIENT = (Action.AWAY_RUNLOG, Action.AWAY_REPORT)
"""Each takes ten times as long as the others, and is drawn less often."""
_VERDICT = ("reconcile.looked", "reconcile.closed", "reconcile.looked_up", "reconcile.moved")


class Plot(NamedTuple):
    """What will be done, in words and in deed."""

    text: str
    act: Callable[[World], object]


def draw(seed: int) -> Plot:
    """The plot of this number."""
    dice = random.Random(seed)
    kind = dice.choices(list(_KINDS), list(_KINDS.values()))[0]
    if kind == "one":
        fault = _fault(dice, () if dice.random() < 0.85 else COMMAND)
        return Plot(str(fault), lambda world: play(world, fault))
    if kind == "several":
        command = () if dice.random() < 0.85 else COMMAND
        faults = [_fault(dice, command) for _ in range(dice.choice((2, 2, 3)))]
        return Plot(", then ".join(map(str, faults)), lambda world: _several(world, faults))
    if kind == "race":
        return _race(dice)
    how_many, delay = dice.randint(2, 4), dice.uniform(0.0, 1.2)
    victim: str | int = dice.choice((*DATABASES, *range(how_many)))
    what = f"crash {victim}" if isinstance(victim, str) else f"kill supervisor {victim}"
    text = f"{how_many} runs at once, and after {delay:.2f} s {what}"
    return Plot(text, lambda world: _crowd(world, how_many, delay, victim))


def _fault(dice: random.Random, command: tuple[str, ...]) -> Fault:
    action = dice.choice([one for one in Action if one not in _PATIENT or dice.random() < 0.2])
    if command:
        while action in _NEEDS_WORKER or action is Action.AWAY_REPORT:
            action = dice.choice(list(Action))
        return Fault(dice.choice(COMMAND_STEPS), action, command)
    steps: tuple[str, ...] = WITH_WORKER if action in _NEEDS_WORKER else STEPS
    if action is Action.AWAY_REPORT:  # an answer to COMMIT is looked for as long as it is away, and that is long
        steps = tuple(step for step in steps if step != "publish.pointed")
    return Fault(dice.choice(steps), action)


def _several(world: World, faults: list[Fault]) -> None:
    """One after the other on the same run: each by another supervisor, if the run still lets one begin."""
    case = Case(world, faults[0].command)
    for fault in faults:
        case.plot.append(str(fault))
        world.up()
        with contextlib.suppress(NotReached):
            ACTIONS[fault.action](case, fault.step)
    case.check()


def _race(dice: random.Random) -> Plot:
    at, step = dice.choice((*_VERDICT, "reconcile.raised")), dice.choice(CLAIMED)
    waking = dice.choice(PUBLISHING)
    beside = dice.choice(("attempt.fenced", *CLAIMED[:-5]))
    plots = (
        Plot(
            f"the reconciler killed at {at}, the run at {step}", lambda w: races.reconciler_killed(w, at, run_at=step)
        ),
        Plot(f"two reconcilers at {at}, the run at {step}", lambda w: races.two_reconcilers(w, at, run_at=step)),
        Plot(f"{waking} wakes at {at}", lambda w: races.wakes_during_the_verdict(w, at, run_at=waking)),
        Plot("taken during the verdict", races.taken_during_the_verdict),
        Plot(f"{beside} wakes beside its successor", lambda w: races.wakes_beside_its_successor(w, beside, command=())),
    )
    return dice.choice(plots)


def _crowd(world: World, how_many: int, delay: float, victim: str | int) -> None:
    """Runs of the same reports at the same time, and something happens to one of them, or to all."""
    cases = [Case(world) for _ in range(how_many)]
    processes = [case.start() for case in cases]
    with contextlib.suppress(AssertionError):  # a moment, unless they end before
        wait_for(lambda: all(one.exit_code is not None for one in processes), "the moment", timeout=delay)
    if isinstance(victim, str):
        cases[0].crash(victim)
    elif processes[victim].exit_code is None:
        processes[victim].kill()
    for case in cases:
        case.settle()
        check(case.story())
    world.processes.clear()
