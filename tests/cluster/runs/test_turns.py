"""Runs of a pipeline that allows one at a time, whoever asked for them: a schedule, a person, a request (K13)."""

from __future__ import annotations

from kubescribe.domain.failure import SkipReason
from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.world import ClusterWorld


def test_a_slot_that_comes_while_a_requested_run_is_at_work_is_skipped(world: ClusterWorld, node: Node) -> None:
    applied = world.apply("alone")
    first = world.trigger("alone")
    world.running(first.id)
    job = world.namespace.create(fired(applied, SLOT))
    outcome, _ = world.namespace.finished(job["metadata"]["name"])
    assert outcome == "Complete", "a skip is no failure"
    slot = world.run(uid(job))
    assert (slot.status, slot.skip_reason, slot.slot) == (RunStatus.SKIPPED, SkipReason.CONCURRENCY, SLOT)
    assert world.run(first.id).status is RunStatus.RUNNING


def test_in_a_queue_both_have_their_turn(world: ClusterWorld, node: Node) -> None:
    world.apply("queued")
    first = world.trigger("queued", seconds=4.0)
    world.running(first.id)
    second = world.trigger("queued")
    done = world.ended(second.id)
    earlier = world.run(first.id)
    assert (earlier.status, done.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED), done.message
    assert done.started_at and earlier.finished_at and done.started_at >= earlier.finished_at


def test_a_newer_run_replaces_the_one_at_work(world: ClusterWorld, node: Node) -> None:
    world.apply("newest")
    first = world.trigger("newest")
    world.running(first.id)
    second = world.trigger("newest", seconds=0.0)
    done = world.ended(second.id)
    earlier = world.run(first.id)
    assert (earlier.status, done.status) == (RunStatus.CANCELLED, RunStatus.SUCCEEDED), (earlier, done.message)
    assert done.started_at and earlier.finished_at and done.started_at >= earlier.finished_at
