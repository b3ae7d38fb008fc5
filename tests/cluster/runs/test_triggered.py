"""A run that somebody asked for: a Job of its pipeline's template, a pod with our supervisor, a true record."""

from __future__ import annotations

from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node
from tests.support.kube.world import ClusterWorld


def test_a_triggered_run_is_a_job_that_publishes(world: ClusterWorld, node: Node) -> None:
    applied = world.apply("totals")
    run = world.trigger("totals", rows=5)
    done = world.ended(run.id)
    assert (done.status, done.evidence) == (RunStatus.SUCCEEDED, Evidence.LEDGER), done.message
    (attempt,) = world.attempts(run.id)
    (pod,) = world.namespace.listed("pods")
    job = world.job(run.id)
    where = attempt.whereabouts
    assert str(attempt.id) == pod["metadata"]["uid"]
    assert (where.pod, where.node, where.namespace) == (pod["metadata"]["name"], node.name, world.namespace.name)
    assert str(where.job) == job["metadata"]["uid"]
    owner = job["metadata"]["ownerReferences"][0]
    assert (owner["uid"], owner["controller"]) == (applied["metadata"]["uid"], False)
    assert (
        job["spec"]["template"]["spec"]["containers"]
        == (applied["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"])
    ), "nothing of the pod is the caller's"
    world.reconcile()
    assert world.job(run.id), "the newest Jobs stay for people to look at"
