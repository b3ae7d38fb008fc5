"""An hour without RunLog at a pipeline's schedule, all its slots at once: they are on record afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg

from kubescribe.domain.failure import SkipReason
from kubescribe.domain.run import Evidence, Trigger
from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_out_of_sight import without_runlog
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.records import published
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

SLOTS = [SLOT - timedelta(minutes=3 * number) for number in range(20)]
FEW = 2


def quiet(manifest: Json) -> None:
    """It fires nothing itself while the test does; its limits act all the same."""
    manifest["spec"]["suspend"] = True


def ended(world: ClusterWorld) -> list[Json]:
    done = [job for job in world.namespace.listed("jobs") if job["status"].get("conditions")]
    assert not [job for job in done if job["status"].get("failed")], done
    return done


def test_an_hour_of_slots_is_kept_by_the_cluster_and_recorded_afterwards(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    without_runlog(nodes, databases)
    cron_job = world.apply("often", quiet)
    assert cron_job["spec"]["successfulJobsHistoryLimit"] >= len(SLOTS)
    jobs = [world.namespace.create(fired(cron_job, slot)) for slot in SLOTS]
    wait_for(lambda: len(ended(world)) == len(jobs), "an hour's Jobs to end", timeout=180, every=0.5)
    # The controller looks at what it has to clear away whenever its CronJob changes.
    world.namespace.api.patch("cronjobs", "often", {"metadata": {"labels": {"seen": "yes"}}}, world.namespace.name)
    kept = wait_for(lambda: _listed_by_its_controller(world, jobs), "the controller's round", timeout=60, every=0.2)
    assert kept == len(jobs)
    world.reconcile()  # RunLog is back
    for job, slot in zip(jobs, SLOTS, strict=True):
        done = world.ended(uid(job))
        assert (done.trigger, done.slot) == (Trigger.SCHEDULE, slot)
        if done.status is RunStatus.SUCCEEDED:
            assert done.evidence is Evidence.LEDGER
            assert published(world, done.id) == [world.attempts(done.id)[0].id]
        else:  # all at once: a newer slot may have published before an older one, which then has nothing to do
            assert (done.skip_reason, done.evidence) == (SkipReason.SUPERSEDED, Evidence.TERMINATION_MESSAGE), done
            assert slot < max(SLOTS) and not published(world, done.id)
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (len(jobs),), "I-2: each Job has one run"


def test_with_the_limits_of_a_default_cron_job_most_of_them_would_be_gone(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    """So the test above would have seen it."""
    without_runlog(nodes, databases)

    def few(manifest: Json) -> None:
        quiet(manifest)
        manifest["spec"]["successfulJobsHistoryLimit"] = FEW

    cron_job = world.apply("often", few)
    for slot in SLOTS[: FEW + 3]:
        world.namespace.create(fired(cron_job, slot))

    def few_are_left() -> bool:
        return len(ended(world)) == FEW == len(world.namespace.listed("jobs"))

    wait_for(few_are_left, "the limits to act", timeout=120, every=0.5)


def _listed_by_its_controller(world: ClusterWorld, jobs: list[Json]) -> int:
    """How many Jobs are there, once the controller has written down the newest success."""
    status = world.namespace.get("cronjobs", "often").get("status", {})
    return len(world.namespace.listed("jobs")) if status.get("lastSuccessfulTime") else 0
