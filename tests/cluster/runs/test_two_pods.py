"""Two pods of one Job: a node is lost, its pods stop, others take their runs, and the stopped ones go on (K2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node, NodePod
from tests.support.kube.records import published
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

BEFORE = (
    "attempt.started",
    "attempt.claimed",
    "worker.assigned",
    "stage.copied",
    "worker.staged",
    "worker.returned",
    "attempt.checked",
    "publish.attached",
    "publish.ledger_written",
    "publish.pointed",
)
"""Where the older one has not published."""
AFTER = ("publish.committed", "attempt.published", "attempt.recorded")
STEPS = BEFORE + AFTER


class Two(NamedTuple):
    """A run's pods."""

    step: str
    run: Run
    older: NodePod
    newer: NodePod

    @property
    def uids(self) -> tuple[UUID, UUID]:
        """Of the older and the newer one: their attempts' ids."""
        older, newer = (UUID(pod.object["metadata"]["uid"]) for pod in (self.older, self.newer))
        return older, newer


def stopped(pod: NodePod) -> bool:
    """Whether a process of it has come to the step, where it stops itself."""
    states = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] for pid in pod.pids()]
    return "T" in states


def is_another(name: str, pod: Json) -> bool:
    return bool(pod["metadata"]["name"] != name)


def run_that_stops(world: ClusterWorld, step: str) -> Run:
    """A run of which each pod stops itself at the step."""
    cron_job = world.namespace.get("cronjobs", "apiece")
    containers = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    kept = [one for one in containers[0]["env"] if one["name"] != "KUBESCRIBE_FAILPOINT"]
    containers[0]["env"] = [*kept, {"name": "KUBESCRIBE_FAILPOINT", "value": f"{step}=stop"}]
    change = {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": containers}}}}}}
    world.namespace.api.patch("cronjobs", "apiece", change, world.namespace.name)
    return world.trigger("apiece", report=step.replace(".", "_"))


@pytest.fixture
def twice(world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases) -> Callable[..., list[Two]]:
    """Of each run the older pod is stopped at its step, on a node that is lost, and the newer one has begun."""

    def twice(steps: tuple[str, ...]) -> list[Two]:
        image = Image(variables=variables(databases))
        lost, other = nodes(image=image), nodes(image=image)
        world.namespace.api.patch("nodes", other.name, {"spec": {"unschedulable": True}})
        world.apply("apiece")
        runs = {step: run_that_stops(world, step) for step in steps}
        older = {}
        for step, run in runs.items():
            pod = lost.pod(world.namespace.name, world.until_pod(run.id))
            wait_for(partial(stopped, pod), f"the step {step} to be reached", timeout=60)
            pod.freeze()
            older[step] = pod
        lost.lose("stopped")
        world.namespace.api.patch("nodes", lost.name, {"spec": {"unschedulable": True}})
        world.namespace.api.patch("nodes", other.name, {"spec": {"unschedulable": False}})
        for pod in older.values():
            world.namespace.give_up(pod.object["metadata"]["name"])  # as of a node out of service; its processes live
        found = []
        for step, run in runs.items():
            first, job = older[step].object["metadata"]["name"], world.job(run.id)["metadata"]["name"]
            second = world.namespace.pod(job, partial(is_another, first), timeout=60)
            name = second["metadata"]["name"]
            found.append(Two(step, run, older[step], other.pod(world.namespace.name, name)))
        return found

    return twice


def wake(pods: list[NodePod]) -> None:
    """Let them go on, wherever they stop, to their ends."""

    def ended() -> bool:
        for pod in pods:
            if pod.exit_code is None and pod.pids() and stopped(pod):
                pod.thaw()
        return all(pod.exit_code is not None for pod in pods)

    wait_for(ended, "the pods to end", timeout=90, every=0.1)


def check(world: ClusterWorld, two: Two) -> None:
    """Exactly one has published, the record says so, and the other one has decided nothing."""
    older, newer = two.uids
    its = older if two.step in AFTER else newer
    done = world.ended(two.run.id)
    assert done.status is RunStatus.SUCCEEDED, (two.step, done.message)
    assert published(world, two.run.id) == [its], two.step
    assert two.newer.exit_code == ExitCode.DONE, two.step


def test_k2_an_older_pod_that_wakes_when_all_is_done_changes_nothing(
    twice: Callable[..., list[Two]], world: ClusterWorld
) -> None:
    pairs = twice(STEPS)
    wake([two.newer for two in pairs])
    before = {two.run.id: world.ended(two.run.id) for two in pairs}
    wake([two.older for two in pairs])
    world.later()
    world.reconcile()
    for two in pairs:
        check(world, two)
        assert world.run(two.run.id) == before[two.run.id], two.step
        # What finds the run published has nothing left to do, and ends well; what finds the fence taken does not.
        assert two.older.exit_code in (ExitCode.DONE, ExitCode.FENCED), two.step


def test_k2_an_older_pod_that_wakes_beside_the_newer_one_publishes_nothing(
    twice: Callable[..., list[Two]], world: ClusterWorld
) -> None:
    pairs = twice(("attempt.claimed", "stage.copied", "worker.returned", "attempt.checked"))
    for two in pairs:
        wait_for(partial(stopped, two.newer), f"the newer one to come to {two.step}", timeout=60)
    wake([two.older for two in pairs])
    wake([two.newer for two in pairs])
    for two in pairs:
        check(world, two)
        assert two.older.exit_code == ExitCode.FENCED, two.step
