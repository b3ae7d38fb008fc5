"""What may be done to a run, drawn at random; the same number always draws the same plot."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from tests.support import api_faults, races
from tests.support.case import Case
from tests.support.faults import ACTIONS, COMMAND, Action, Fault, play
from tests.support.kube import blows
from tests.support.kube.batch import Batch
from tests.support.kube.faulty_world import FaultyCluster
from tests.support.run_steps import CLAIMED, COMMAND_STEPS, COPYING, PUBLISHING, REPEATED, STEPS, WITH_WORKER
from tests.support.supervised import NotReached
from tests.support.waiting import wait_for
from tests.support.world import COPIES, DATABASES, World


class Only(StrEnum):
    """What a campaign is restricted to."""

    ALL = "all"
    KILLS = "kills"
    STOPS = "stops"
    CRASHES = "crashes"
    TRIGGERS = "triggers"
    """Requests to the API, which is killed, or whose RunLog crashes; in no other campaign."""
    CLUSTER = "cluster"
    """Runs that are Jobs of a real control plane, under faults of both; in no other campaign."""
    NOTICES = "notices"
    """Notices that sixteen write while their senders die, ``--n`` times; not drawn, and in no other campaign."""


_KINDS = {
    Only.ALL: {"one": 50, "several": 30, "race": 10, "crowd": 10},
    Only.KILLS: {"one": 70, "several": 15, "race": 10, "crowd": 5},
    Only.STOPS: {"one": 75, "several": 10, "race": 15},
    Only.CRASHES: {"one": 70, "several": 15, "crowd": 15},
    Only.TRIGGERS: {"api": 100},
    Only.CLUSTER: {"cluster": 100},
}
"""How often each kind of plot is drawn, in percent."""
_ACTIONS = {
    Only.ALL: tuple(Action),
    Only.KILLS: tuple(action for action in Action if action.name.startswith("KILL_")),
    Only.STOPS: tuple(action for action in Action if action.name.startswith("STOP_")),
    Only.CRASHES: tuple(action for action in Action if action.name.startswith(("CRASH_", "AWAY_"))),
}
_NEEDS_WORKER = (Action.KILL_WORKER, Action.KILL_WORKER_AT_LAST, Action.KILL_BOTH)
_PATIENT = (Action.AWAY_RUNLOG, Action.AWAY_REPORT)
"""Each takes ten times as long as the others, and is drawn less often."""
_COPIED = (*COPYING, *PUBLISHING)
"""Reached by rows too that are handed over as they are."""
_VERDICT = ("reconcile.looked", "reconcile.closed", "reconcile.looked_up", "reconcile.moved")
_UNRECORDED = CLAIMED[: CLAIMED.index("attempt.recorded")]
"""Afterwards a reconciler has nothing to judge."""


class Plot(NamedTuple):
    """What will be done, in words and in deed."""

    text: str
    act: Callable[[World], object]


def draw(seed: int, only: Only) -> Plot:
    """The plot of this number."""
    dice = random.Random(seed)
    kinds = _KINDS[only]
    kind = dice.choices(list(kinds), list(kinds.values()))[0]
    if kind == "api":
        return _api(dice)
    if kind == "cluster":
        return _cluster(dice)
    if kind == "one":
        fault = _fault(dice, only, () if dice.random() < 0.85 else COMMAND)
        if fault.step in _COPIED and not fault.command and dice.random() < 0.3:
            fault = replace(fault, work=COPIES)
        return Plot(str(fault), lambda world: play(world, fault))
    if kind == "several":
        command = () if dice.random() < 0.85 else COMMAND
        faults = [_fault(dice, only, command) for _ in range(dice.choice((2, 2, 3)))]
        return Plot(", then ".join(map(str, faults)), lambda world: _several(world, faults))
    if kind == "race":
        return _race(dice, only)
    how_many, delay = dice.randint(2, 4), dice.uniform(0.0, 1.2)
    victims: dict[Only, tuple[str | int, ...]] = {Only.KILLS: tuple(range(how_many)), Only.CRASHES: DATABASES}
    victim = dice.choice(victims.get(only, (*DATABASES, *range(how_many))))
    what = f"crash {victim}" if isinstance(victim, str) else f"kill supervisor {victim}"
    text = f"{how_many} runs at once, and after {delay:.2f} s {what}"
    return Plot(text, lambda world: _crowd(world, how_many, delay, victim))


def _cluster(dice: random.Random) -> Plot:
    script = blows.draw(dice)

    def act(world: World) -> None:
        assert isinstance(world, FaultyCluster)
        Batch(world, dice).play(script)

    return Plot(str(script), act)


def _api(dice: random.Random) -> Plot:
    step = dice.choice((*api_faults.LAUNCHING, *api_faults.CANCELLING))
    times, triggers = dice.randint(1, 4), dice.randint(4, 16)
    cancelling = dice.choice((0.0, 0.3, 0.7))
    what = f"{triggers} triggers, {cancelling:.0%} cancelled"
    at = api_faults.killed_at if step in api_faults.LAUNCHING else api_faults.killed_while_cancelling
    plots = {
        f"the API killed at {step}": (3, lambda w: at(w, step)),
        f"the API killed {times} times under {what}": (
            3,
            lambda w: api_faults.killed_under_triggers(w, kills=times, triggers=triggers, cancelling=cancelling),
        ),
        f"RunLog crashes {times} times under {what}": (
            3,
            lambda w: api_faults.runlog_crashes(w, crashes=times, triggers=triggers, cancelling=cancelling),
        ),
        f"{times} commits of the API cut": (
            1,
            lambda w: api_faults.commits_are_cut(w, deliver=cancelling > 0, cuts=times),
        ),
        f"{times + 2} cancels race the ends of their runs": (
            1,
            lambda w: api_faults.cancel_races_the_end(w, runs=times + 2),
        ),
    }
    text = dice.choices(list(plots), [weight for weight, _ in plots.values()])[0]
    return Plot(text, plots[text][1])


def _fault(dice: random.Random, only: Only, command: tuple[str, ...]) -> Fault:
    actions = _ACTIONS[only]
    action = dice.choice([one for one in actions if one not in _PATIENT or dice.random() < 0.2])
    if command:
        while action in _NEEDS_WORKER or action is Action.AWAY_REPORT:
            action = dice.choice(actions)
        return Fault(dice.choice(COMMAND_STEPS), action, command)
    steps: tuple[str, ...] = WITH_WORKER if action in _NEEDS_WORKER else STEPS
    if action is Action.AWAY_REPORT:  # an answer to COMMIT is looked for as long as it is away, and that is long
        steps = tuple(step for step in steps if step != "publish.pointed")
    step = dice.choice(steps)
    if step in REPEATED:  # some reports are staged then, and the others are not
        step = dice.choice((step, f"{step}@2", f"{step}@3"))
    return Fault(step, action)


def _several(world: World, faults: list[Fault]) -> None:
    """One after the other on the same run: each by another supervisor, if the run still lets one begin."""
    case = Case(world, faults[0].command)
    for fault in faults:
        case.plot.append(str(fault))
        world.up()
        with contextlib.suppress(NotReached):
            ACTIONS[fault.action](case, fault.step)
    case.check()


def _race(dice: random.Random, only: Only) -> Plot:
    at, step = dice.choice((*_VERDICT, "reconcile.raised")), dice.choice(_UNRECORDED)
    waking = dice.choice(PUBLISHING)
    beside = dice.choice(("attempt.fenced", *CLAIMED[:-5]))
    killed = Plot(
        f"the reconciler killed at {at}, the run at {step}", lambda w: races.reconciler_killed(w, at, run_at=step)
    )
    doubled = Plot(f"two reconcilers at {at}, the run at {step}", lambda w: races.two_reconcilers(w, at, run_at=step))
    stopped = (
        Plot(f"{waking} wakes at {at}", lambda w: races.wakes_during_the_verdict(w, at, run_at=waking)),
        Plot("taken during the verdict", races.taken_during_the_verdict),
        Plot(f"{beside} wakes beside its successor", lambda w: races.wakes_beside_its_successor(w, beside, command=())),
    )
    plots = {Only.KILLS: (killed, doubled), Only.STOPS: stopped}
    return dice.choice(plots.get(only, (killed, doubled, *stopped)))


def _crowd(world: World, how_many: int, delay: float, victim: str | int) -> None:
    """Runs of the same reports at the same time, and something happens to one of them, or to all."""
    cases = [Case(world) for _ in range(how_many)]
    processes = [case.start() for case in cases]
    with contextlib.suppress(AssertionError):  # a moment, unless they end before
        wait_for(lambda: all(one.exit_code is not None for one in processes), "the moment", timeout=delay)
    if isinstance(victim, str):
        cases[0].crash(victim)
    elif processes[victim].exit_code is None:
        cases[victim].kill(processes[victim])
    for case in cases:
        case.settle()
        case.judge()
    world.processes.clear()
