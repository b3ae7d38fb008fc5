"""What keeps a pod from starting, in Kubernetes' own words (K6), and what keeps a Job from making one (K7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.node.node import Node
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for

REASONS = {
    "ErrImagePull": FailureCause.IMAGE_PULL,
    "RegistryUnavailable": FailureCause.IMAGE_PULL,
    "ImageInspectError": FailureCause.IMAGE_PULL,
    "CreateContainerError": FailureCause.CONFIG_ERROR,
    "RunContainerError": FailureCause.CONFIG_ERROR,
}
"""With those of ``test_ends`` and a missing volume: ten ways in which a container does not start."""


def absent_volume(manifest: Json) -> None:
    spec = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    spec["volumes"] = [*spec.get("volumes", []), {"name": "absent", "secret": {"secretName": "absent"}}]
    spec["containers"][0].setdefault("volumeMounts", []).append({"name": "absent", "mountPath": "/absent"})


def test_k6_each_reason_is_the_cause_in_kubernetes_words_and_the_job_goes(world: ClusterWorld, node: Node) -> None:
    runs = {}
    world.apply("sleeper")
    for reason in REASONS:
        node.hold(reason, labels={"held": reason}, message=f"{reason}, says the node")
        template = {"template": {"metadata": {"labels": {"held": reason}}}}
        change = {"spec": {"jobTemplate": {"spec": template}}}
        world.namespace.api.patch("cronjobs", "sleeper", change, world.namespace.name)
        runs[reason] = world.trigger("sleeper")
    for reason, run in runs.items():
        world.waits(run.id, reason)
        assert world.run(run.id).status is RunStatus.PENDING
        world.past_start_deadline(run.id)
    for reason, run in runs.items():
        done = world.ended(run.id)
        assert (done.status, done.cause, done.evidence) == (RunStatus.FAILED, REASONS[reason], Evidence.DEADLINE)
        assert f"{reason}, says the node" in (done.message or "")
    for run in runs.values():
        world.gone(run.id)


def test_k6_a_volume_that_is_not_there_says_so_in_an_event_alone(world: ClusterWorld, node: Node) -> None:
    world.apply("sleeper", absent_volume)
    run = world.trigger("sleeper")
    pod = world.until_pod(run.id)
    wait_for(lambda: world.namespace.events(pod), "the node's word", timeout=30)
    world.past_start_deadline(run.id)
    done = world.ended(run.id)
    assert (done.status, done.attempts) == (RunStatus.FAILED, 0), done.message
    assert done.cause in (FailureCause.START_DEADLINE, FailureCause.CONFIG_ERROR), done.message
    world.gone(run.id)


@pytest.fixture
def no_pods_for_gated(control_plane: ControlPlane, namespace: Namespace) -> Iterator[None]:
    """A policy that refuses the pods of one pipeline."""
    name, group = f"no-gated-{namespace.name}"[:60], "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    expression = "object.metadata.labels['kubescribe.io/pipeline'] != 'gated'"
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": "no gates here"}],
    }
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}}
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": only_here},
    }
    kinds = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    for kind, spec in kinds.items():
        control_plane.api.create({"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec})
    yield
    control_plane.api.delete("validatingadmissionpolicybindings", name)
    control_plane.api.delete("validatingadmissionpolicies", name)


def large(manifest: Json) -> None:
    container = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}


@pytest.mark.usefixtures("no_pods_for_gated")
def test_k7_admission_and_a_limit_range_are_told_in_their_own_words(world: ClusterWorld, node: Node) -> None:
    limits = {"limits": [{"type": "Container", "max": {"memory": "2Gi"}}]}
    world.namespace.create({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": limits})
    world.apply("gated")
    world.apply("sleeper", large)
    refused, too_large = world.trigger("gated", folder="/nowhere"), world.trigger("sleeper")
    first, second = world.ended(refused.id), world.ended(too_large.id)
    assert (first.cause, first.evidence, "no gates here" in (first.message or "")) == (
        FailureCause.CONFIG_ERROR,
        Evidence.POD_STATUS,
        True,
    ), first
    assert (second.cause, second.evidence, "2Gi" in (second.message or "")) == (
        FailureCause.QUOTA_EXCEEDED,
        Evidence.POD_STATUS,
        True,
    ), second
    for run in (first, second):
        world.gone(run.id)
