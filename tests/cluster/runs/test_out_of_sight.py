"""Runs that RunLog, the reconciler or the cluster lost sight of for a while."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_container, a_pod, a_pod_template, fired
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for


def without_runlog(nodes: Callable[..., Node], databases: ThreeDatabases) -> Node:
    """Its pods do not find RunLog."""
    away = {"RUNLOG_DB_URL": "postgresql://nobody@127.0.0.1:1/runlog", "KUBESCRIBE_CONNECT_TIMEOUT": "1s"}
    return nodes(image=Image(variables=variables(databases) | away))


def ended_unseen(world: ClusterWorld, pipeline: str) -> Json:
    """A Job of the schedule that came to its end while RunLog was away for it."""
    job = world.namespace.create(fired(world.apply(pipeline), SLOT))
    world.namespace.finished(job["metadata"]["name"], timeout=60)
    return job


def test_k21_what_has_published_while_runlog_was_away_is_found_in_the_ledger(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    without_runlog(nodes, databases)
    job = ended_unseen(world, "totals")
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.evidence, done.slot) == (RunStatus.SUCCEEDED, Evidence.LEDGER, SLOT), done.message
    (attempt,) = world.attempts(done.id)
    assert attempt.certificate is not None and attempt.certificate.cause is None
    assert attempt.fence is not None


def test_what_a_supervisor_left_behind_completes_its_record(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    without_runlog(nodes, databases)
    job = ended_unseen(world, "broken")
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.cause, done.evidence) == (
        RunStatus.FAILED,
        FailureCause.ERROR,
        Evidence.TERMINATION_MESSAGE,
    ), done.message
    assert "the file is empty" in (done.message or "")
    assert done.duration and done.duration > 0
    (attempt,) = world.attempts(done.id)
    assert attempt.certificate is not None and "the file is empty" in (attempt.certificate.message or "")


def test_without_reports_its_own_word_is_the_only_one(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    without_runlog(nodes, databases)
    job = ended_unseen(world, "quick")
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.evidence) == (RunStatus.SUCCEEDED, Evidence.TERMINATION_MESSAGE), done.message


def silent(manifest: Json) -> None:
    """Our supervisor, as far as the template tells, and one that says nothing."""
    container = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["command"], container["args"] = ["sh", "-c", "exit 0"], []


def test_k5_exit_code_0_alone_is_no_success(world: ClusterWorld, node: Node) -> None:
    job = world.namespace.create(fired(world.apply("totals", silent), SLOT))
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.cause) == (RunStatus.LOST, FailureCause.UNKNOWN), done.message
    assert "exit code 0" in (done.message or "")


def lost(world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases) -> tuple[UUID, Node]:
    """A run whose node is not heard of any more, its processes stopped, and the reconciler's word on that."""
    image = Image(variables=variables(databases))
    by_name = {made.name: made for made in (nodes(image=image), nodes(image=image))}
    world.apply("publisher")
    run = world.trigger("publisher")
    world.running(run.id)
    (attempt,) = world.attempts(run.id)
    node = by_name[attempt.whereabouts.node or ""]
    node.lose()
    world.until(run.id, RunStatus.PENDING)
    (given_up,) = world.attempts(run.id)
    assert given_up.certificate is not None and given_up.certificate.cause is FailureCause.LEASE_EXPIRED
    return run.id, node


def test_k3_an_attempt_on_a_node_that_is_away_is_given_up_and_may_not_come_back(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases
) -> None:
    run_id, node = lost(world, nodes, databases)
    node.come_back()
    done = world.ended(run_id, timeout=90)
    assert done.status is RunStatus.FAILED, done.message
    assert not world.reports("totals"), "what was given up publishes nothing"


def test_k7_a_quota_that_lets_no_pod_in_is_the_cause(world: ClusterWorld, node: Node) -> None:
    hard = {"pods": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": hard}}
    world.namespace.create(quota)
    wait_for(lambda: world.namespace.get("resourcequotas", "none").get("status", {}).get("hard") == hard, "the quota")
    world.apply("sleeper")
    run = world.trigger("sleeper")
    done = world.ended(run.id, timeout=60)
    assert (done.status, done.cause, done.evidence) == (
        RunStatus.FAILED,
        FailureCause.QUOTA_EXCEEDED,
        Evidence.POD_STATUS,
    ), done.message
    assert "exceeded quota: none" in (done.message or "")


def test_k7_without_the_service_account_no_pod_is_made(world: ClusterWorld, node: Node) -> None:
    world.namespace.delete("serviceaccounts", "kubescribe-runner")
    world.apply("sleeper")
    run = world.trigger("sleeper")
    done = world.ended(run.id, timeout=60)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.CONFIG_ERROR), done.message
    assert "serviceaccount" in (done.message or "")


def test_k24_a_pod_of_the_same_name_is_another_attempt(world: ClusterWorld, node: Node) -> None:
    world.apply("sleeper")
    run = world.trigger("sleeper")
    name = world.running(run.id)
    with world.watched():
        world.reconcile()
        world.namespace.delete("jobs", world.job(run.id)["metadata"]["name"])
        wait_for(lambda: not world.namespace.exists("pods", name), "the pod to go", timeout=30)
        world.namespace.create(a_pod(name, a_pod_template([a_container("sleep", "60")])))
        assert world.ended(run.id).status is RunStatus.CANCELLED
    assert world.namespace.exists("pods", name), "a stranger was deleted"


def test_a9_an_object_that_cannot_be_is_passed_over_and_the_others_are_not(world: ClusterWorld, node: Node) -> None:
    bad = fired(world.apply("totals"), SLOT)
    bad["metadata"]["labels"] |= {"kubescribe.io/run-id": "not-a-run"}
    bad["metadata"]["name"] = "a-first-and-bad-one"
    world.namespace.create(bad)
    good = world.trigger("totals")
    assert world.ended(good.id).status is RunStatus.SUCCEEDED
    problems = [world.reconcile().reconciled.problems for _ in range(2)][-1]
    assert [problem for problem in problems if "not-a-run" in problem], problems
    assert world.events("cluster.quarantined") == 1, "once, however often it is looked at"
