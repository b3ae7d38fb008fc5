"""A handful of runs on a cluster at once, faults in the midst of them, recovery, and every invariant."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from kubescribe.adapters.local import process_tree
from kubescribe.domain.errors import KubescribeError
from tests.support.case import Case, footprint
from tests.support.family import Plan
from tests.support.family_plans import draw_plan
from tests.support.invariants import Broken
from tests.support.waiting import wait_for

from .blows import OF_ALL, Blow, Script, Target, strike
from .faulty_world import FaultyCluster, run_of
from .objects import fired
from .resources import ApiError, Json

_TOO_LATE = (AssertionError, ApiError, httpx.TransportError, KubescribeError)
"""The fault hit nothing: its target has ended, or what it needs is away."""
_PATIENCE = 150.0
_WAITS = 4.0
"""Seconds that a fault waits for its run to have a pod."""


class Batch:
    """``Batch(world, dice).play(script)``; raises :class:`~tests.support.invariants.Broken`."""

    def __init__(self, world: FaultyCluster, dice: random.Random) -> None:
        self._world, self._dice = world, dice
        self._cases: list[Case] = []
        self._afterwards: list[tuple[float, Callable[[], object]]] = []

    def play(self, script: Script) -> None:
        """Have them run, break, recover, and be judged."""
        world, blows, began = self._world, list(script.blows), time.monotonic()
        starts, plans = list(script.starts), [draw_plan(self._dice, world.history.model) for _ in script.starts]
        scheduled = self._fired()
        while starts or blows or self._afterwards:
            now = time.monotonic() - began
            while starts and starts[0] <= now and self._asked_for(plans[len(self._cases)]):
                starts.pop(0)
            for blow in [one for one in blows if one.at <= now]:
                blows.remove(blow)
                if self._comes_too_early(blow) and now < blow.at + _WAITS:
                    blows.append(blow)
                else:
                    self._strike(blow, now)
            for due in [one for one in self._afterwards if one[0] <= now]:
                self._afterwards.remove(due)
                due[1]()
            world.reconciler()
        world.whole()
        self._until_quiet()
        self._cases.append(scheduled)
        for case in self._cases:
            case.settle()
            case.judge()
        self._judge_the_cluster()
        world.emptied()
        world.recorder.forget()
        world.reconciler()

    def _asked_for(self, plan: Plan) -> bool:
        """Whether a run was accepted; it is not where RunLog is away."""
        try:
            run = self._world.trigger(plan)
        except KubescribeError:
            return False
        case = Case(self._world, plan=plan)
        del self._world.history.plans[case.run_id]
        case.run_id = run.id
        self._cases.append(case)
        return True

    def _comes_too_early(self, blow: Blow) -> bool:
        """Its run has no pod yet, or is not even asked for."""
        if blow.what in OF_ALL:
            return not self._cases
        return len(self._cases) <= blow.victim or self._world.pod_of(self._cases[blow.victim].run_id) is None

    def _fired(self) -> Case:
        """A Job of a schedule, which nobody has asked for."""
        world = self._world
        world.fired += 1
        slot = (datetime.now(UTC) - timedelta(minutes=world.fired)).replace(second=0, microsecond=0)
        job = world.namespace.create(fired(world.manifests["brief"], slot))
        case = Case(world, plan=())
        case.run_id = UUID(job["metadata"]["uid"])
        return case

    def _strike(self, blow: Blow, now: float) -> None:
        if len(self._cases) <= blow.victim:
            return
        world, case = self._world, self._cases[blow.victim]

        def afterwards(mend: Callable[[], object]) -> None:
            self._afterwards.append((now + blow.lasts, mend))

        pod = None if blow.what in OF_ALL else world.pod_of(case.run_id)
        try:
            strike(blow.what, Target(world, self._dice, case.run_id, pod, afterwards))
        except _TOO_LATE:
            return
        case.plot.append(f"{blow.what} at {now:.1f} s")
        world.acts[f"cluster: {blow.what}"] += 1

    def _until_quiet(self) -> None:
        """Every run has its verdict, every Job its end, every process is gone, and passes change nothing any more."""
        world = self._world
        before: list[dict[str, frozenset[str]]] = [{}]

        def quiet() -> bool:
            at_work = self._at_work()  # before the pass: what ends after it is the next one's
            done, now = world.reconciler(), footprint(world)
            same, before[0] = now == before[0], now
            return same and not (at_work or done.changed or done.errors or done.problems)

        try:
            wait_for(quiet, "the cluster to be quiet", timeout=_PATIENCE, every=0.3)
        except AssertionError as late:
            why = f"{late}; {self._at_work()}; {world.reconciler()}"
            raise Broken("I-5", why, self._cases[0].story()) from None

    def _at_work(self) -> list[str]:
        rows = self._world.rows("runlog", "SELECT id, status, message FROM run WHERE finished_at IS NULL")
        mine = [case.run_id for case in self._cases]
        attempts = self._world.rows("runlog", "SELECT id FROM attempt WHERE run_id = ANY(%s)", mine)
        alive = [f"process of attempt {one['id']}" for one in attempts if process_tree.members(one["id"])]
        jobs = [job for job in self._world.namespace.listed("jobs") if not _is_over(job)]
        active = [f"Job {job['metadata']['name']} is active" for job in jobs]
        phases = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in self._world.namespace.listed("pods")}
        left = [f"pod {name} is {phase}" for name, phase in phases.items() if phase not in ("Succeeded", "Failed")]
        return [f"run {row['id']} is {row['status']} ({row['message']})" for row in rows] + alive + active + left

    def _judge_the_cluster(self) -> None:
        """I-1, I-2 and I-16 by what the cluster showed, and I-15 by the pods' exit codes."""
        world, recorder = self._world, self._world.recorder
        recorder.look()
        status = {str(row["id"]): str(row["status"]) for row in world.rows("runlog", "SELECT id, status FROM run")}
        told = world.rows("runlog", "SELECT id, run_id, whereabouts->>'pod' AS pod FROM attempt")
        attempts = {str(row["id"]) for row in told}
        published = world.rows("report", "SELECT attempt_id FROM kubescribe.publication")
        ledger = {str(row["attempt_id"]) for row in published}
        jobs: dict[str, list[str]] = {}
        for uid, job in recorder.jobs.items():
            jobs.setdefault(run_of(job), []).append(uid)
        for run_id, made in jobs.items():
            if run_id not in status:
                self._broken("I-2", f"Job {made} has no run", run_id)
            if len(made) > 1:
                self._broken("I-16", f"it had the Jobs {made}", run_id)
        uids = {pod["metadata"]["name"]: uid for uid, pod in recorder.pods.items()}
        for row in told:
            if uids.get(row["pod"], str(row["id"])) != str(row["id"]):
                self._broken("I-1", f"pod {row['pod']} is attempt {row['id']}, and not its own", str(row["run_id"]))
        for uid, pod in recorder.pods.items():
            code, run_id = _exit_code(pod), run_of(pod)
            if code is None:
                continue
            job = pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"]
            if {uid, job} <= recorder.there and uid not in attempts:
                self._broken("I-1", f"pod {uid} has ended with {code}, and is no attempt", run_id)
            if code == 0 and status.get(run_id) not in ("succeeded", "skipped"):
                self._broken("I-15", f"pod {uid} has ended with 0", run_id)
            if code in (77, 78) and uid in ledger:
                self._broken("I-15", f"pod {uid} has ended with {code}, and has published", run_id)
        for case in self._cases:
            world.acts[f"ended {status[str(case.run_id)]}"] += 1

    def _broken(self, invariant: str, why: str, run_id: str) -> None:
        case = next((case for case in self._cases if str(case.run_id) == run_id), self._cases[0])
        raise Broken(invariant, f"run {run_id}: {why}", case.story())


def _is_over(job: Json) -> bool:
    """Whether it will make no further pod."""
    conditions = job["status"].get("conditions") or []
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)


def _exit_code(pod: Json) -> int | None:
    """Of a pod that has started and ended; None: it has not, or nobody says."""
    for one in pod["status"].get("containerStatuses") or []:
        ended = one.get("state", {}).get("terminated")
        if ended and ended.get("startedAt"):
            return int(ended["exitCode"])
    return None
