"""Pods that are told to go, and have 1, 5 or 30 seconds; some hear nothing of it, some will not hear (K15)."""

from __future__ import annotations

from functools import partial

import pytest

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence, Run
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node
from tests.support.kube.records import published
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for

OWN_GRACE = 2
"""Seconds that the supervisor gives its worker."""


def brisk(manifest: Json) -> None:
    """What its pods have beyond the supervisor's own grace is said when they are deleted."""
    container = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    for variable in container["env"]:
        if variable["name"] == "KUBESCRIBE_GRACE":
            variable["value"] = f"{OWN_GRACE}s"


def gone(world: ClusterWorld, pod: str) -> bool:
    return not world.namespace.exists("pods", pod)


def begun(world: ClusterWorld, pipeline: str) -> tuple[Run, str]:
    run = world.trigger(pipeline)
    pod = world.running(run.id)
    api, namespace = world.namespace.api, world.namespace.name
    wait_for(lambda: "deaf" in api.log(namespace, pod), "its worker to be at work", timeout=30)
    return run, pod


def test_k15_who_has_time_writes_its_end_down_itself_and_of_others_the_reconciler_does(
    world: ClusterWorld, node: Node
) -> None:
    """The worker ignores SIGTERM each time."""
    world.apply("deaf", brisk)
    pods = {grace: begun(world, "deaf") for grace in (1, 5, 30)}
    for grace, (_, pod) in pods.items():
        world.namespace.delete("pods", pod, grace=grace)
    for _, pod in pods.values():
        wait_for(partial(gone, world, pod), "the pod to go", timeout=60, every=0.1)
    ended = {grace: world.attempts(run.id)[0].ended_at for grace, (run, _) in pods.items()}
    # Before anybody has looked: with a second it is killed first, with more it says its end within its own grace.
    assert ended[1] is None and ended[5] is not None and ended[30] is not None, ended
    for grace, (run, pod) in pods.items():
        done = world.ended(run.id)
        assert done.status in (RunStatus.FAILED, RunStatus.LOST), (grace, done)
        assert not published(world, run.id)
        (attempt,) = world.attempts(run.id)
        assert attempt.ended_at is not None and attempt.certificate is not None
        assert attempt.whereabouts.pod == pod
        if grace > 1:
            assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.SIGNAL), (grace, done.message)
            assert attempt.certificate.signal == "SIGKILL", "of the worker, which would not hear"


@pytest.mark.parametrize("grace", [1, 5])
def test_k15_a_supervisor_that_hears_nothing_is_killed_and_its_run_has_an_end(
    grace: int, world: ClusterWorld, node: Node
) -> None:
    world.apply("deaf", brisk)
    run, pod = begun(world, "deaf")
    node.pod(world.namespace.name, pod).freeze()
    world.namespace.delete("pods", pod, grace=grace)
    wait_for(partial(gone, world, pod), "the pod to go", timeout=60, every=0.1)
    assert world.run(run.id).status is RunStatus.RUNNING, "nobody has said anything"
    done = world.ended(run.id)
    assert done.status in (RunStatus.FAILED, RunStatus.LOST) and done.evidence is not Evidence.DEADLINE, done
    assert not published(world, run.id)
