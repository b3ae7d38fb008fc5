"""With the API's own token, and the admission policies in force, everything that the API is for still works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from kubescribe.application.manifests.rendering import STARTABLE
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.launch import Launch
from kubescribe.domain.run import Run
from kubescribe.domain.run_status import RunStatus
from tests.support.clusters import Cluster
from tests.support.deployment import API, RUNS
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.resources import ApiError
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases, three_databases
from tests.support.waiting import wait_for

PIPELINES = ("totals", "sleeper")


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


@pytest.fixture
def world(loop: asyncio.Runner, installed: ControlPlane, databases: ThreeDatabases) -> Iterator[ClusterWorld]:
    """KubeScribe as deployed: in the namespace of the runs, as the service account of the API."""
    runs = Namespace(installed.api, RUNS)
    installed.api.patch("configmaps", STARTABLE, {"data": {name: name for name in PIPELINES}}, RUNS)
    world = ClusterWorld(loop, runs, installed.token_kubeconfig(*API), variables(databases))
    with world.opened():
        for name in PIPELINES:
            world.apply(name)
        yield world
        for name in PIPELINES:
            runs.delete("cronjobs", name)
        for job in runs.listed("jobs"):
            with suppress(ApiError):  # a cancel has taken it away meanwhile
                runs.delete("jobs", job["metadata"]["name"])


@pytest.fixture
def node(nodes: Callable[..., Node], databases: ThreeDatabases) -> Node:
    return nodes(image=Image(variables=variables(databases)))


def test_a_run_is_triggered_and_publishes(world: ClusterWorld, node: Node) -> None:
    run = world.trigger("totals", rows=5)
    done = world.ended(run.id)
    assert done.status is RunStatus.SUCCEEDED, done.message
    assert world.reports("totals") == 1


def test_a_run_is_cancelled(world: ClusterWorld, node: Node) -> None:
    run = world.trigger("sleeper")
    world.running(run.id)
    world.cancel(run.id)
    assert world.ended(run.id).status is RunStatus.CANCELLED
    world.gone(run.id)


def test_a_pause_is_shown_and_taken_back(world: ClusterWorld) -> None:
    def suspended() -> bool:
        world.reconcile()
        return bool(world.namespace.get("cronjobs", "totals")["spec"].get("suspend"))

    world.pause("totals")
    wait_for(suspended, "the schedule to be suspended", timeout=30, every=0.2)
    world.resume("totals")
    wait_for(lambda: not suspended(), "the schedule to go on", timeout=30, every=0.2)


@contextmanager
def refused(world: ClusterWorld) -> Iterator[Run]:
    """A run whose Job the policies refuse as long as the block goes on: its CronJob is not on the list."""
    world.namespace.api.patch("configmaps", STARTABLE, {"data": {"totals": None}}, RUNS)
    try:
        yield wait_for(lambda: _held(world), "the policy to have heard of it", timeout=30)
    finally:
        world.namespace.api.patch("configmaps", STARTABLE, {"data": {"totals": "totals"}}, RUNS)


def test_what_a_policy_refuses_until_it_has_heard_of_a_change_is_launched_then(world: ClusterWorld) -> None:
    with refused(world) as run:
        world.reconcile()
        assert world.run(run.id).status is RunStatus.PENDING

    def launched() -> bool:
        world.reconcile()
        return world.run(run.id).launch is Launch.STARTED

    wait_for(launched, "its Job", timeout=30)
    assert world.run(run.id).status is RunStatus.PENDING


def test_what_a_policy_refuses_for_good_has_failed_at_its_start_deadline(world: ClusterWorld) -> None:
    with refused(world) as run:
        world.past_start_deadline(run.id)
        done = world.ended(run.id)
    assert (done.status, done.cause, done.attempts) == (RunStatus.FAILED, FailureCause.CONFIG_ERROR, 0)
    assert "kubescribe-job-owners" in (done.message or "")


def _held(world: ClusterWorld) -> Run | None:
    """A run that waits for the policies; None: they have let it pass."""
    run = world.run(world.trigger("totals").id)
    if run.launch is Launch.DUE:
        return run
    world.cancel(run.id)
    return None
