"""Cases in which two parties are at work on one run at once: held at their steps, in an order that a test chooses."""

from __future__ import annotations

from .case import Case
from .faults import COMMAND
from .story import Story
from .supervised import Supervised
from .world import World


def reconciler_killed(world: World, at: str, *, run_at: str) -> Story:
    """A supervisor is killed, and then the reconciler that judges its run."""
    case = Case(world)
    _dead_or_silent(case, run_at, silent=at == "reconcile.raised")
    reconciler = _reconciler(case, at)
    case.kill(reconciler)
    case.wake(world.processes[0])
    return case.check()


def two_reconcilers(world: World, at: str, *, run_at: str) -> Story:
    """One reconciler is held, another one does its work meanwhile."""
    case = Case(world)
    _dead_or_silent(case, run_at, silent=at == "reconcile.raised")
    reconciler = _reconciler(case, at)
    case.reconcile()
    reconciler.ended()
    case.wake(world.processes[0])
    return case.check()


def wakes_during_the_verdict(world: World, at: str, *, run_at: str = "attempt.checked") -> Story:
    """A stopped supervisor is thought gone (or is given up), and wakes while the reconciler is held at a step."""
    case = Case(world)
    _stopped(case, run_at)
    if at == "reconcile.raised":
        world.lease_over(case.run_id)
    else:
        case.lose_sight()
    reconciler = _reconciler(case, at)
    case.wake(world.processes[0])
    case.plot.append("the supervisor ends, then the reconciler goes on")
    world.processes[0].ended()
    reconciler.ended()
    return case.check()


def taken_during_the_verdict(world: World, command: tuple[str, ...] = COMMAND) -> Story:
    """A command is given up; before that is recorded another attempt has taken the run, and is to keep it."""
    case = Case(world, command)
    _stopped(case, _at_work(case))
    world.lease_over(case.run_id)
    reconciler = _reconciler(case, "reconcile.looked")
    second = case.start(hold=_at_work(case))
    second.reached()
    reconciler.ended()
    second.ended()
    case.wake(world.processes[0])
    return case.check(must_succeed=True)


def wakes_beside_its_successor(world: World, at: str, *, command: tuple[str, ...] = COMMAND) -> Story:
    """A stopped supervisor wakes, and ends, while another one works on the run."""
    case = Case(world, command)
    _stopped(case, at)
    second = case.start(hold=_at_work(case))
    second.reached()
    case.wake(world.processes[0])
    world.processes[0].ended()
    second.ended()
    return case.check(must_succeed=True)


def _dead_or_silent(case: Case, step: str, *, silent: bool) -> None:
    if silent:
        _stopped(case, step)
        case.world.lease_over(case.run_id)
        return
    process = case.start(hold=step)
    process.reached()
    case.kill(process)


def _at_work(case: Case) -> str:
    """The step at which a supervisor has the run, and the payload is at work."""
    return "attempt.started" if case.command else "attempt.assigned"


def _stopped(case: Case, step: str) -> None:
    process = case.start(hold=step)
    process.reached()
    process.freeze()


def _reconciler(case: Case, hold: str) -> Supervised:
    case.plot.append(f"reconcile, held at {hold}")
    process = case.world.start_reconciler(hold)
    process.reached()
    return process
