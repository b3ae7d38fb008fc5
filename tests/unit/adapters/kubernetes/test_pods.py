"""What a pod's status says, in our words and in Kubernetes' own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.kubernetes import pods
from kubescribe.adapters.kubernetes.objects import Pod, Resources
from kubescribe.domain.failure import FailureCause as Cause
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.summary import Summary

POD = UUID(int=7)


def pod(status: dict[str, Any], *, ours: bool = True, node: str | None = "node-1") -> Pod:
    env = [{"name": "KUBESCRIBE_POD_UID", "valueFrom": {}}] if ours else []
    container = {"name": "runner", "image": "x", "env": env, "resources": {"limits": {"memory": "64Mi", "cpu": 1}}}
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "sales-1",
            "uid": str(POD),
            "namespace": "runs",
            "creationTimestamp": "2026-11-22T00:00:00Z",
            "somethingNew": {"of": "a later Kubernetes"},
        },
        "spec": {"containers": [{"name": "sidecar", "image": "x"}, container], "nodeName": node},
        "status": status,
    }
    return msgspec.json.decode(msgspec.json.encode(made), type=Pod)


def ended(code: int, reason: str = "Error", **fields: Any) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, **fields}}
    statuses = [{"name": "sidecar", "state": {"running": {}}}, {"name": "runner", "state": state}]
    return {"phase": "Succeeded" if code == 0 else "Failed", "containerStatuses": statuses}


def disrupted(reason: str, message: str = "") -> dict[str, Any]:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
    return {**ended(143), "conditions": [condition]}


@pytest.mark.parametrize(
    ("status", "cause", "reason", "words"),
    [
        (ended(0, "Completed"), None, "Completed", "exit code 0"),
        (ended(3), Cause.EXIT_CODE, "Error", "exit code 3"),
        (ended(1), Cause.EXIT_CODE, "Error", "exit code 1"),
        (ended(64), Cause.CONFIG_ERROR, "Error", "exit code 64"),
        (ended(65), Cause.PRECONDITION, "Error", "exit code 65"),
        (ended(75), Cause.UNAVAILABLE, "Error", "exit code 75"),
        (ended(77), Cause.FENCED, "Error", "exit code 77"),
        (ended(78), Cause.FENCED, "Error", "exit code 78"),
        (ended(137), Cause.SIGNAL, "Error", "SIGKILL"),
        (ended(1, signal=9), Cause.SIGNAL, "Error", "SIGKILL"),
        (ended(137, "OOMKilled"), Cause.OOM_KILLED, "OOMKilled", "67108864 bytes"),
        (ended(0, "OOMKilled"), Cause.OOM_KILLED, "OOMKilled", "exit code 0"),
        (
            ended(128, "StartError", message="no such file: kubescribe"),
            Cause.CONFIG_ERROR,
            "StartError",
            "no such file",
        ),
        (ended(137, "ContainerStatusUnknown"), Cause.NODE_LOST, "ContainerStatusUnknown", "ContainerStatusUnknown"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory."},
            Cause.EVICTED,
            "Evicted",
            "low on memory",
        ),
        ({"phase": "Failed", "reason": "OutOfcpu", "message": "no cpu"}, Cause.UNSCHEDULABLE, "OutOfcpu", "no cpu"),
        ({"phase": "Failed", "reason": "NodeShutdown"}, Cause.NODE_LOST, "NodeShutdown", "NodeShutdown"),
        ({"phase": "Failed", "reason": "SomethingNew"}, Cause.UNKNOWN, "SomethingNew", "SomethingNew"),
        (disrupted("PreemptionByScheduler", "for a greater one"), Cause.PREEMPTED, "PreemptionByScheduler", "greater"),
        (disrupted("EvictionByEvictionAPI", "a drain"), Cause.EVICTED, "EvictionByEvictionAPI", "a drain"),
        (disrupted("DeletionByTaintManager", "unreachable"), Cause.NODE_LOST, "DeletionByTaintManager", "unreachable"),
        (disrupted("SomethingNew", "why not"), Cause.EVICTED, "SomethingNew", "why not"),
        ({"phase": "Failed"}, Cause.UNKNOWN, None, "nothing says how"),
    ],
)
def test_how_a_pod_ended(status: dict[str, Any], cause: Cause | None, reason: str | None, words: str) -> None:
    found = pods.ended(pod(status))
    assert (found.cause, found.reason) == (cause, reason)
    assert words in (found.message or "")
    assert (found.pod, found.node, found.memory_limit) == ("sales-1", "node-1", 67108864)


def test_our_exit_codes_mean_something_from_our_supervisors_alone() -> None:
    status = ended(65)
    status["containerStatuses"][0] = {"name": "sidecar", "state": {"terminated": {"exitCode": 65}}}
    found = pods.ended(pod(status, ours=False))
    assert (found.cause, found.exit_code) == (Cause.EXIT_CODE, 65)


@pytest.mark.parametrize(
    ("reason", "cause", "after"),
    [
        ("InvalidImageName", Cause.IMAGE_PULL, pods.AT_ONCE),
        ("ErrImageNeverPull", Cause.IMAGE_PULL, pods.AT_ONCE),
        ("ErrImagePull", Cause.IMAGE_PULL, None),
        ("ImagePullBackOff", Cause.IMAGE_PULL, None),
        ("CreateContainerConfigError", Cause.CONFIG_ERROR, pods.SOON),
        ("CreateContainerError", Cause.CONFIG_ERROR, pods.SOON),
        ("RunContainerError", Cause.CONFIG_ERROR, pods.SOON),
    ],
)
@pytest.mark.parametrize("statuses", ["containerStatuses", "initContainerStatuses"])
def test_k6_what_keeps_a_pod_from_starting(reason: str, cause: Cause, after: float | None, statuses: str) -> None:
    waiting = {"name": "runner", "state": {"waiting": {"reason": reason, "message": "in its own words"}}}
    found = pods.held_back(pod({"phase": "Pending", statuses: [waiting]}))
    assert found is not None
    assert (found.certificate.cause, found.certificate.reason, found.hopeless_after) == (cause, reason, after)
    assert "in its own words" in (found.certificate.message or "")


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", None])
def test_what_is_on_its_way_is_not_kept_back(reason: str | None) -> None:
    waiting = {"name": "runner", "state": {"waiting": {"reason": reason}}}
    assert pods.held_back(pod({"phase": "Pending", "containerStatuses": [waiting]})) is None
    assert pods.held_back(pod({})) is None


def test_k8_no_node_takes_it() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit"}
    found = pods.held_back(pod({"phase": "Pending", "conditions": [condition]}, node=None))
    assert found is not None
    assert (found.certificate.cause, found.hopeless_after) == (Cause.UNSCHEDULABLE, None)
    assert "0/3 nodes fit" in (found.certificate.message or "")


def message(**changes: Any) -> str:
    said = Summary(
        run_id=UUID(int=1), attempt_id=POD, pipeline="sales", status=RunStatus.FAILED, exit_code=1, cause=Cause.ERROR
    )
    return msgspec.structs.replace(said, **changes).encoded().decode()


def test_its_supervisors_last_word_is_heard() -> None:
    found = pods.summary_of(pod(ended(1, message=message())))
    assert found is not None and found.cause is Cause.ERROR


@pytest.mark.parametrize(
    "said", ["", "no JSON", "{}", "[1]", '{"run_id": 1}', message(attempt_id=UUID(int=8)), message()[:-10], "\x00"]
)
def test_what_another_has_said_is_nobodys_word(said: str) -> None:
    assert pods.summary_of(pod(ended(1, message=said))) is None
    assert pods.summary_of(pod(ended(1, message=message()), ours=False)) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("64Mi", 67108864), ("1Gi", 1073741824), ("1500M", 1500000000), ("128974848", 128974848), ("1.5Gi", 1610612736)],
)
def test_a_memory_limit_is_bytes(text: str, size: int) -> None:
    made = pod(ended(0))
    container = msgspec.structs.replace(
        made.spec.containers[1], resources=msgspec.convert({"limits": {"memory": text}}, Resources)
    )
    spec = msgspec.structs.replace(made.spec, containers=(container,))
    assert pods.memory_limit(msgspec.structs.replace(made, spec=spec)) == size
