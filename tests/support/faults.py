"""One fault at one step of a run, recovery, and the checks: what the fault tests and the chaos run have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .case import Case
from .cuts import cutting
from .family import Plan
from .run_steps import PUBLISHED
from .story import Story
from .supervised import Supervised
from .world import FAMILY, World


class Action(StrEnum):
    """What is done when the step is reached."""

    NOTHING = "nothing"
    KILL_WORKER = "kill worker"
    """SIGKILL, and the supervisor is allowed one further attempt, which has to succeed."""
    KILL_WORKER_AT_LAST = "kill worker, no retry"
    KILL_SUPERVISOR = "kill supervisor"
    KILL_BOTH = "kill both"
    KILL_AND_RETRY = "kill supervisor, retry"
    """Another supervisor takes the run at once, before any reconciler: it has to succeed."""
    STOP_AND_RETRY = "stop, retry, continue"
    """SIGSTOP to both; another supervisor does the run; SIGCONT."""
    STOP_AND_GIVE_UP = "stop, give up, continue"
    """SIGSTOP to both past the lease; the reconciler gives the attempt up; SIGCONT, without a retry."""
    STOP_AND_RETRY_LATE = "stop, give up, retry, continue"
    STOP_AND_LOSE = "stop, lose, continue"
    """SIGSTOP; the reconciler thinks that the supervisor is gone, as when a node cannot be reached; SIGCONT."""
    CRASH_RUNLOG = "crash runlog"
    """Immediate stop and start while the step is held."""
    CRASH_PRODUCTION = "crash production"
    CRASH_REPORT = "crash report"
    AWAY_RUNLOG = "runlog away"
    """Immediate stop; it starts again when the supervisor has ended."""
    AWAY_REPORT = "report away"
    CUT_RUNLOG = "cut runlog after COMMIT"
    """The server gets the next COMMIT, and its answer is lost."""
    CUT_RUNLOG_BEFORE = "cut runlog before COMMIT"
    CUT_REPORT = "cut report after COMMIT"
    CUT_REPORT_BEFORE = "cut report before COMMIT"


MUST_SUCCEED = {
    Action.NOTHING,
    Action.KILL_WORKER,
    Action.KILL_AND_RETRY,
    Action.STOP_AND_RETRY,
    Action.STOP_AND_RETRY_LATE,
    Action.CRASH_RUNLOG,
    Action.AWAY_RUNLOG,
    Action.CUT_RUNLOG,
    Action.CUT_RUNLOG_BEFORE,
}
"""Faults that a run survives at every step."""

SETTLED = {Action.CUT_REPORT, Action.CUT_REPORT_BEFORE}
"""Faults that it survives once the report database has to be asked for the outcome; before, it may fail."""

_SETTLING = ("publish.fence_checked", "publish.changed", "publish.ledger_written", "publish.pointed", *PUBLISHED)
COMMAND = ("sh", "-c", "echo working")


@dataclass(frozen=True)
class Fault:
    """An action at a step of ``work``, or of a ``command`` that ``kubescribe exec`` runs."""

    step: str
    action: Action
    command: tuple[str, ...] = ()
    work: tuple[str, ...] = FAMILY

    def __str__(self) -> str:
        what = self.command or (() if self.work == FAMILY else self.work)
        return f"{self.step}: {self.action}" + (f" ({' '.join(what)})" if what else "")


def play(world: World, fault: Fault, plan: Plan | None = None) -> Story:
    """Do it, recover, check; the story. ``plan``: what the run publishes, and else something that is drawn."""
    case = Case(world, fault.command, plan, work=fault.work)
    case.plot.append(str(fault))
    ACTIONS[fault.action](case, fault.step)
    survives = fault.action in MUST_SUCCEED or (fault.action in SETTLED and fault.step in _SETTLING)
    return case.check(must_succeed=survives)


def _nothing(case: Case, step: str) -> None:
    process = case.start(hold=step)
    process.reached()
    process.ended()


def _kill(how: Callable[[Supervised], None], *options: str) -> Callable[[Case, str], None]:
    def act(case: Case, step: str) -> None:
        process = case.start(*options, hold=step)
        process.reached()
        case.kill(process, how)
        process.ended()

    return act


def _kill_and_retry(case: Case, step: str) -> None:
    process = case.start(hold=step)
    process.reached()
    case.kill(process)
    case.retry()


def _stop(between: Callable[[Case], None]) -> Callable[[Case, str], None]:
    def act(case: Case, step: str) -> None:
        process = case.start(hold=step)
        process.reached()
        process.freeze()
        between(case)
        case.wake(process)

    return act


def _retry(case: Case) -> None:
    case.retry()


def _give_up(case: Case) -> None:
    if case.world.rows("runlog", "SELECT FROM run WHERE id = %s", case.run_id):
        case.world.lease_over(case.run_id)
    case.reconcile()


def _give_up_and_retry(case: Case) -> None:
    _give_up(case)
    case.retry()


def _lose(case: Case) -> None:
    case.lose_sight()
    case.reconcile()


def _crash(database: str, *, away: bool = False) -> Callable[[Case, str], None]:
    def act(case: Case, step: str) -> None:
        process = case.start(hold=step)
        process.reached()
        case.crash(database, away=away)
        process.ended()

    return act


def _cut(database: str, *, deliver: bool) -> Callable[[Case, str], None]:
    def act(case: Case, step: str) -> None:
        with cutting(case.world.clusters[database].port, deliver=deliver) as cutter:
            url = case.world.url(database).replace(str(case.world.clusters[database].port), str(cutter.port))
            process = case.start(hold=step, **{{"runlog": "RUNLOG_DB_URL", "report": "REPORT_DB_URL"}[database]: url})
            process.reached()
            cutter.arm()
            case.plot.append("the next COMMIT is cut")
            process.ended()
            case.plot.append(f"{cutter.cuts} cut")
            case.world.acts[f"cuts of {database}"] += cutter.cuts

    return act


ACTIONS: dict[Action, Callable[[Case, str], None]] = {
    Action.NOTHING: _nothing,
    Action.KILL_WORKER: _kill(Supervised.kill_worker, "--retries", "1"),
    Action.KILL_WORKER_AT_LAST: _kill(Supervised.kill_worker),
    Action.KILL_SUPERVISOR: _kill(Supervised.kill),
    Action.KILL_BOTH: _kill(Supervised.kill_both),
    Action.KILL_AND_RETRY: _kill_and_retry,
    Action.STOP_AND_RETRY: _stop(_retry),
    Action.STOP_AND_GIVE_UP: _stop(_give_up),
    Action.STOP_AND_RETRY_LATE: _stop(_give_up_and_retry),
    Action.STOP_AND_LOSE: _stop(_lose),
    Action.CRASH_RUNLOG: _crash("runlog"),
    Action.CRASH_PRODUCTION: _crash("production"),
    Action.CRASH_REPORT: _crash("report"),
    Action.AWAY_RUNLOG: _crash("runlog", away=True),
    Action.AWAY_REPORT: _crash("report", away=True),
    Action.CUT_RUNLOG: _cut("runlog", deliver=True),
    Action.CUT_RUNLOG_BEFORE: _cut("runlog", deliver=False),
    Action.CUT_REPORT: _cut("report", deliver=True),
    Action.CUT_REPORT_BEFORE: _cut("report", deliver=False),
}
