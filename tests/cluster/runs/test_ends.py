"""Ends that nobody could tell of: Kubernetes knows why, and the record says so in its words."""

from __future__ import annotations

import pytest

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld


def test_k4_a_run_that_was_killed_for_its_memory_says_so_with_its_limit(world: ClusterWorld, node: Node) -> None:
    world.apply("sleeper")
    run = world.trigger("sleeper")
    pod = world.running(run.id)
    node.pod(world.namespace.name, pod).run_out_of_memory()
    done = world.ended(run.id)
    assert (done.status, done.cause, done.evidence) == (
        RunStatus.FAILED,
        FailureCause.OOM_KILLED,
        Evidence.PROCESS_GONE,
    ), done.message
    (attempt,) = world.attempts(run.id)
    death = attempt.certificate
    assert death is not None
    assert (death.cause, death.reason, death.exit_code, death.signal) == (
        FailureCause.OOM_KILLED,
        "OOMKilled",
        137,
        "SIGKILL",
    )
    assert death.memory_limit and str(death.memory_limit) in (done.message or "")
    assert (death.pod, death.node) == (pod, node.name)
    assert any("at work" in line for line in death.log_tail)


def test_k16_an_eviction_is_nobodys_fault_and_another_pod_goes_on(world: ClusterWorld, node: Node) -> None:
    world.apply("sleeper")
    with world.watched():  # an evicted pod is gone in a moment: the list alone may come too late
        run = world.trigger("sleeper")
        first = world.running(run.id)
        world.reconcile()
        world.namespace.evict(first)
        second = world.running_after(run.id, first)
        assert second != first
        world.reconcile()
        attempts = world.attempts(run.id)
        assert len(attempts) == 2 and attempts[0].certificate is not None
        assert attempts[0].certificate.cause is FailureCause.EVICTED, "and not the signal that told it to go"
        assert world.run(run.id).status is RunStatus.RUNNING, "a disruption burns nothing of the backoff limit"
        world.cancel(run.id)
        assert world.ended(run.id).status is RunStatus.CANCELLED


def test_k17_every_try_of_a_job_is_an_attempt_and_the_run_ends_once(world: ClusterWorld, node: Node) -> None:
    world.apply("killed")
    run = world.trigger("killed")
    done = world.ended(run.id, timeout=90)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.SIGNAL), done.message
    attempts = world.attempts(run.id)
    assert [one.number for one in attempts] == [1, 2]
    assert {one.certificate.signal for one in attempts if one.certificate} == {"SIGKILL"}
    assert [one.whereabouts.pod for one in attempts] == [
        pod["metadata"]["name"] for pod in world.namespace.pods(world.job(run.id)["metadata"]["name"])
    ]


def test_k17_what_the_supervisor_knows_of_each_try_stays(world: ClusterWorld, node: Node) -> None:
    world.apply("failing")
    run = world.trigger("failing")
    done = world.ended(run.id, timeout=90)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.ERROR), done.message
    assert "the file is not there yet" in (done.message or "")
    assert [one.certificate.message for one in world.attempts(run.id) if one.certificate] == [done.message] * 2


def short(manifest: Json) -> None:
    manifest["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 6


def test_k18_the_jobs_own_deadline_is_the_runs(world: ClusterWorld, node: Node) -> None:
    world.apply("sleeper", short)
    run = world.trigger("sleeper")
    done = world.ended(run.id)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.RUN_DEADLINE), done.message


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("InvalidImageName", FailureCause.IMAGE_PULL),
        ("ErrImageNeverPull", FailureCause.IMAGE_PULL),
    ],
)
def test_k6_what_can_never_start_fails_at_once(
    reason: str, cause: FailureCause, world: ClusterWorld, node: Node
) -> None:
    node.hold(reason, message=f"{reason}: nothing is called so")
    world.apply("sleeper")
    run = world.trigger("sleeper")
    done = world.ended(run.id, timeout=30)
    assert (done.status, done.cause, done.evidence) == (RunStatus.FAILED, cause, Evidence.POD_STATUS), done.message
    assert f"{reason}: nothing is called so" in (done.message or "")
    world.gone(run.id)


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (("ErrImagePull", "ImagePullBackOff"), FailureCause.IMAGE_PULL),
        (("CreateContainerConfigError",), FailureCause.CONFIG_ERROR),
    ],
)
def test_k6_what_may_still_start_has_until_its_deadline(
    reasons: tuple[str, ...], cause: FailureCause, world: ClusterWorld, node: Node
) -> None:
    node.hold(*reasons, message="the registry says 503")
    world.apply("sleeper")
    run = world.trigger("sleeper")
    world.waits(run.id, reasons[-1])
    assert world.run(run.id).status is RunStatus.PENDING
    world.past_start_deadline(run.id)
    done = world.ended(run.id)
    assert (done.status, done.cause, done.evidence) == (RunStatus.FAILED, cause, Evidence.DEADLINE), done.message
    assert "the registry says 503" in (done.message or "")
    world.gone(run.id)


def test_k8_no_node_takes_it(world: ClusterWorld) -> None:
    world.apply("sleeper")
    run = world.trigger("sleeper")
    world.until_pod(run.id)
    world.past_start_deadline(run.id)
    done = world.ended(run.id)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.UNSCHEDULABLE), done.message
    world.gone(run.id)


def test_k14_a_job_that_somebody_deletes_is_a_cancelled_run(world: ClusterWorld, node: Node) -> None:
    world.apply("publisher")
    with world.watched():
        run = world.trigger("publisher")
        world.running(run.id)
        world.reconcile()
        world.namespace.delete("jobs", world.job(run.id)["metadata"]["name"])
        done = world.ended(run.id)
    assert done.status is RunStatus.CANCELLED, done.message
    assert "deleted on the cluster" in (done.message or "")


def test_k14_a_cancel_ends_the_pod_and_the_sessions_before_it_says_so(world: ClusterWorld, node: Node) -> None:
    world.apply("publisher")
    run = world.trigger("publisher")
    world.running(run.id)
    assert world.cancel(run.id).status is RunStatus.CANCELLING
    done = world.ended(run.id)
    assert (done.status, done.evidence) == (RunStatus.CANCELLED, Evidence.PROCESS_GONE), done.message
    assert not world.namespace.listed("pods")


def test_k14_a_cancel_before_the_start_leaves_no_pod(world: ClusterWorld, node: Node) -> None:
    node.hold("ImagePullBackOff")
    world.apply("sleeper")
    run = world.trigger("sleeper")
    world.until_pod(run.id)
    world.cancel(run.id)
    assert world.ended(run.id).status is RunStatus.CANCELLED
    assert not world.namespace.listed("pods")


def test_k19_a_job_that_was_deleted_after_its_end_has_its_verdict(world: ClusterWorld, node: Node) -> None:
    world.apply("totals")
    run = world.trigger("totals")
    name = world.job(run.id)["metadata"]["name"]
    world.namespace.finished(name)
    world.namespace.delete("jobs", name, grace=0)
    assert world.ended(run.id).status is RunStatus.SUCCEEDED
