"""Looking after a cluster: pauses are shown to it, what is on record is cleared away, and a quiet one is left alone."""

from __future__ import annotations

from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for


def suspended(world: ClusterWorld, name: str) -> bool:
    return bool(world.namespace.get("cronjobs", name)["spec"].get("suspend"))


def test_a_pause_is_shown_and_a_drift_is_mended(world: ClusterWorld) -> None:
    world.apply("totals")
    world.apply("sleeper")
    world.reconcile()
    assert (suspended(world, "totals"), suspended(world, "sleeper")) == (False, True)
    world.pause("totals")
    world.reconcile()
    assert suspended(world, "totals")
    world.namespace.api.patch("cronjobs", "totals", {"spec": {"suspend": False}}, world.namespace.name)
    world.later()
    world.reconcile()
    assert suspended(world, "totals")
    world.resume("totals")
    world.reconcile()
    assert (suspended(world, "totals"), suspended(world, "sleeper")) == (False, True)
    assert "kubescribe.io/paused" not in world.namespace.get("cronjobs", "totals")["metadata"].get("annotations", {})


def test_a_slot_that_comes_all_the_same_is_skipped(world: ClusterWorld, node: Node) -> None:
    applied = world.apply("totals")
    world.pause("totals")
    job = world.namespace.create(fired(applied, SLOT))
    assert world.namespace.finished(job["metadata"]["name"])[0] == "Complete"
    world.reconcile()
    assert world.run(uid(job)).status is RunStatus.SKIPPED


def test_the_newest_jobs_stay_and_older_ones_go_when_they_are_on_record(world: ClusterWorld, node: Node) -> None:
    world.apply("quick")
    runs = [world.trigger("quick") for _ in range(5)]
    for run in runs:
        assert world.ended(run.id).status is RunStatus.SUCCEEDED

    def left() -> int:
        world.later()
        world.reconcile()
        return len(world.namespace.listed("jobs"))

    wait_for(lambda: left() == 3, "the older Jobs to go", timeout=30)
    assert left() == 3


def test_i25_a_second_pass_over_a_quiet_cluster_changes_nothing(world: ClusterWorld, node: Node) -> None:
    job = world.namespace.create(fired(world.apply("totals"), SLOT))
    world.ended_after_adoption(uid(job))
    world.later()
    world.reconcile()
    before = world.written()
    world.later()
    assert world.reconcile().reconciled.changed == ()
    assert world.written() == before
