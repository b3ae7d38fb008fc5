"""Evidence that is gone before anybody has looked: every run has its end, and none a wrong one (K19, K21)."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg

from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.records import published
from tests.support.kube.resources import ApiError, Json
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for

TIMES = 16
SEED = 20261122


def speechless(manifest: Json) -> None:
    """Its supervisors are killed between their publication and their record."""
    container = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "KUBESCRIBE_FAILPOINT", "value": "attempt.published=kill"})


def clear(world: ClusterWorld, job: Json) -> None:
    """What a history limit, a TTL and the hour of events do, in that order, and all at once."""
    name = job["metadata"]["name"]
    with suppress(ApiError):
        world.namespace.api.delete("jobs", name, world.namespace.name, propagation="Background")
    for pod in world.namespace.pods(name):
        with suppress(ApiError):
            world.namespace.delete("pods", pod["metadata"]["name"], grace=0)


def quiet(world: ClusterWorld) -> None:
    """Nothing is left, nor any word of it."""
    wait_for(
        lambda: not any(world.namespace.listed(kind) for kind in ("jobs", "pods")), "an empty namespace", timeout=60
    )
    for event in world.namespace.listed("events"):
        with suppress(ApiError):
            world.namespace.delete("events", event["metadata"]["name"])


def three_days_later(world: ClusterWorld) -> None:
    """For RunLog: leases and deadlines are over."""
    with psycopg.connect(world.environ["RUNLOG_DB_URL"], autocommit=True) as connection:
        back = "- interval '3 days'"
        connection.execute(f"UPDATE attempt SET lease_until = lease_until {back} WHERE ended_at IS NULL")
        connection.execute(
            f"UPDATE run SET start_deadline_at = start_deadline_at {back}, run_deadline_at = run_deadline_at {back} "
            "WHERE finished_at IS NULL"
        )


def no_run_is_open(world: ClusterWorld) -> None:
    world.later()
    world.reconcile()
    world.later()
    world.reconcile()
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        left = connection.execute("SELECT id, status, message FROM run WHERE finished_at IS NULL").fetchall()
    assert left == []


def test_k19_jobs_that_are_deleted_about_their_end_take_no_verdict_along(world: ClusterWorld, node: Node) -> None:
    """Before it and after it, and no pass in between. Nobody is told that a run has failed which has published."""
    dice = random.Random(SEED)
    world.apply("totals")
    world.apply("apiece", speechless)
    runs = [world.trigger("totals") for _ in range(TIMES // 2)]
    runs += [world.trigger("apiece", report="speechless") for _ in range(TIMES // 2)]
    jobs = {run.id: world.job(run.id) for run in runs}

    def is_over(run_id: UUID) -> bool:
        """As far as one may be, before its Job is deleted."""
        if published(world, run_id):
            return True
        job = world.namespace.get("jobs", jobs[run_id]["metadata"]["name"])
        return bool(job.get("status", {}).get("conditions"))

    for run in runs:
        enough = dice.choice(["begun", "published", "ended"])
        if enough == "begun":
            world.until_pod(run.id)
        else:
            wait_for(partial(is_over, run.id), "its end to come near", timeout=90, every=0.05)
        if enough == "ended":
            world.namespace.finished(jobs[run.id]["metadata"]["name"], timeout=60)
        clear(world, jobs[run.id])
    quiet(world)
    three_days_later(world)
    no_run_is_open(world)
    ends = {run.id: world.run(run.id) for run in runs}
    for run_id, done in ends.items():
        assert (done.status is RunStatus.SUCCEEDED) == bool(published(world, run_id)), f"seed {SEED}: {done}"
    good = [done for done in ends.values() if done.status is RunStatus.SUCCEEDED]
    assert len(good) >= TIMES // 3, f"seed {SEED}"


def test_k21_a_reconciler_that_was_away_for_days_finds_nothing_and_settles_all(
    world: ClusterWorld, node: Node, tmp_path: Path
) -> None:
    """What happened meanwhile, and of what nobody is left: every kind of end that nobody wrote down."""
    for pipeline in ("totals", "sleeper"):
        world.apply(pipeline)
    world.apply("gated", speechless)
    slot = world.namespace.create(fired(world.namespace.get("cronjobs", "totals"), SLOT))
    killed, deleted = world.trigger("sleeper"), world.trigger("sleeper")
    cut = world.trigger("gated", folder=str(tmp_path))
    pods = {run.id: world.running(run.id) for run in (killed, deleted, cut)}
    held = node.hold("ImagePullBackOff")
    never = world.trigger("sleeper")
    world.until_pod(never.id)
    # One is killed for its memory, one is deleted, and one is killed between its publication and its record.
    node.pod(world.namespace.name, pods[killed.id]).run_out_of_memory()
    (tmp_path / str(world.attempts(cut.id)[0].id)).touch()
    wait_for(lambda: published(world, cut.id), "its publication", timeout=60, every=0.02)
    world.namespace.finished(world.job(killed.id)["metadata"]["name"])
    world.namespace.finished(slot["metadata"]["name"], timeout=60)
    for job in world.namespace.listed("jobs"):
        clear(world, job)
    held.release()
    quiet(world)
    three_days_later(world)
    no_run_is_open(world)
    done = world.run(uid(slot))
    assert (done.status, done.slot) == (RunStatus.SUCCEEDED, SLOT), "its own supervisor has written it down"
    assert world.run(cut.id).status is RunStatus.SUCCEEDED
    for run in (killed, deleted, never):
        end = world.run(run.id)
        assert end.status in (RunStatus.LOST, RunStatus.FAILED), end
        assert end.message and end.evidence is not Evidence.LEDGER
        assert not published(world, run.id)
    before = world.written()
    no_run_is_open(world)
    assert world.written() == before, "a further pass writes nothing"
