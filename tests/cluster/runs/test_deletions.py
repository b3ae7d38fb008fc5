"""Jobs and pods that go while a run is at work: what is there is not called gone, what was done is not lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.records import lease_over, past_run_deadline, published
from tests.support.kube.resources import ApiError, Json
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

_TIMES = 12
_SEED = 20261122


def patient(manifest: Json) -> None:
    """Its pods have eight seconds to end."""
    manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 8


@pytest.mark.parametrize("watched", [True, False])
def test_k14_a_pod_that_outlives_its_job_is_not_called_gone(watched: bool, world: ClusterWorld, node: Node) -> None:
    world.apply("publisher", patient)
    run = world.trigger("publisher")
    name = world.running(run.id)
    pod = node.pod(world.namespace.name, name)
    world.reconcile()
    pod.freeze()  # it does not hear that it has to go, and is killed at the end of its grace period
    seen: list[RunStatus] = []

    def ended() -> bool:
        there = world.namespace.exists("pods", name)
        world.later()
        world.reconcile()
        now = world.run(run.id).status
        if there and world.namespace.exists("pods", name):
            seen.append(now)
        return now.terminal

    with world.watched(watched):
        world.namespace.delete("jobs", world.job(run.id)["metadata"]["name"])  # in the background: the Job goes first
        wait_for(lambda: not world.namespace.listed("jobs"), "the Job to go")
        wait_for(ended, "the verdict", timeout=60, every=0.2)
    assert RunStatus.CANCELLING in seen and RunStatus.CANCELLED not in seen, seen
    done = world.run(run.id)
    assert (done.status, done.evidence) == (RunStatus.CANCELLED, Evidence.PROCESS_GONE), done.message


def test_k14_a_cancel_of_a_run_whose_node_is_away_comes_to_its_end(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    image = Image(variables=variables(databases))
    by_name = {made.name: made for made in (nodes(image=image), nodes(image=image))}
    world.apply("publisher")
    run = world.trigger("publisher")
    world.running(run.id)
    (attempt,) = world.attempts(run.id)
    by_name[attempt.whereabouts.node or ""].lose()
    world.cancel(run.id)

    def told() -> bool:
        world.reconcile()
        return "deletionTimestamp" in world.job(run.id)["metadata"]

    wait_for(told, "the Job's deletion", every=0.2)
    lease_over(world, run.id)
    world.later()
    world.reconcile()
    assert world.run(run.id).status is RunStatus.CANCELLING, "nobody knows whether it is gone"
    past_run_deadline(world, run.id)
    done = world.ended(run.id)
    assert (done.status, done.evidence) == (RunStatus.CANCELLED, Evidence.UNVERIFIED), done.message
    assert "could not be verified" in (done.message or "")


def past(world: ClusterWorld, run_id: UUID, enough: Callable[[RunStatus], bool]) -> None:
    """Wait, without a pass of the reconciler."""
    wait_for(lambda: enough(world.run(run_id).status), f"run {run_id} to go on", timeout=60, every=0.01)


def test_k19_pods_that_are_deleted_about_their_end_take_no_verdict_along(world: ClusterWorld, node: Node) -> None:
    """Some before it, some after it: whoever has published has succeeded, and nobody else has."""
    dice = random.Random(_SEED)
    world.apply("totals")
    runs = [world.trigger("totals", rows=number + 1) for number in range(_TIMES)]
    for run in runs:
        pod = world.until_pod(run.id)
        past(world, run.id, lambda status: status is not RunStatus.PENDING)
        if dice.random() < 0.5:
            past(world, run.id, lambda status: status.terminal)
        with suppress(ApiError):  # its Job has taken it away already
            world.namespace.delete("pods", pod, grace=dice.choice([0, 1]))
    good = 0
    for run in runs:
        done = world.ended(run.id, timeout=90)
        # LOST: its pod's object went at once, before the node could say anything of its end.
        assert done.status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.LOST), f"seed {_SEED}: {done}"
        assert (done.status is RunStatus.SUCCEEDED) == bool(published(world, run.id)), f"seed {_SEED}: {done}"
        good += done.status is RunStatus.SUCCEEDED
    assert good == world.reports("totals") and good >= _TIMES // 3, f"seed {_SEED}"


@pytest.mark.parametrize("processes", ["stopped", "running"])
def test_k2_of_two_pods_of_one_job_the_newer_publishes_and_the_older_does_not(
    processes: Literal["stopped", "running"],
    world: ClusterWorld,
    nodes: Callable[..., Node],
    databases: ThreeDatabases,
    tmp_path: Path,
) -> None:
    image = Image(variables=variables(databases))
    lost, other = nodes(image=image), nodes(image=image)
    world.namespace.api.patch("nodes", other.name, {"spec": {"unschedulable": True}})
    world.apply("gated")
    run = world.trigger("gated", folder=str(tmp_path))
    first = world.running(run.id)
    older = lost.pod(world.namespace.name, first)
    lost.lose(processes)
    world.namespace.api.patch("nodes", lost.name, {"spec": {"unschedulable": True}})
    world.namespace.api.patch("nodes", other.name, {"spec": {"unschedulable": False}})
    world.namespace.give_up(first)  # as of a node out of service; its process lives
    second = world.running_after(run.id, first)
    if processes == "stopped":
        assert older.pids(), "else there are no two"
    before, newer = world.attempts(run.id)
    assert (before.whereabouts.pod, newer.whereabouts.pod) == (first, second)
    if processes == "stopped":
        (tmp_path / str(before.id)).touch()
        older.thaw()
        wait_for(lambda: older.exit_code is not None, "the older one to end", timeout=60)
    (tmp_path / str(newer.id)).touch()
    done = world.ended(run.id)
    assert done.status is RunStatus.SUCCEEDED, done.message
    (tmp_path / str(before.id)).touch()
    wait_for(lambda: older.exit_code is not None, "the older one to end", timeout=60)
    assert older.exit_code == ExitCode.FENCED
    assert published(world, run.id) == [newer.id]
    assert world.run(run.id) == done
    assert all(one.certificate is not None for one in world.attempts(run.id))
