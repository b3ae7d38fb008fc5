"""What the API server refuses, and to whom."""

from __future__ import annotations

import pytest

from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.objects import a_job, a_pod, a_script
from tests.support.kube.resources import ApiError, Json
from tests.support.waiting import wait_for


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"securityContext": {}}, "allowPrivilegeEscalation != false"),
        ({"securityContext": {"capabilities": {"add": ["NET_RAW"]}}}, "unrestricted capabilities"),
        ({"ports": [{"containerPort": 80, "hostPort": 80}]}, "hostPort"),
    ],
)
def test_pod_security_refuses_what_is_not_restricted(namespace: Namespace, change: Json, words: str) -> None:
    template = a_script("exit 0")
    template["spec"]["containers"][0].update(change)
    with pytest.raises(ApiError, match=words) as refusal:
        namespace.create(a_pod("bad", template))
    assert refusal.value.status == 403
    namespace.create(a_pod("good", a_script("exit 0")))


def test_an_admission_policy_refuses(control_plane: ControlPlane, namespace: Namespace) -> None:
    name, group = f"no-parallel-{namespace.name}", "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}}
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.spec.parallelism == 1", "message": "one at a time"}],
    }
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": only_here},
    }
    kinds = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    for kind, spec in kinds.items():
        control_plane.api.create({"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec})
    try:

        def refusal() -> ApiError | None:
            try:
                namespace.api.create(a_job("wide", a_script("exit 0"), parallelism=2), namespace.name, dryRun="All")
            except ApiError as error:
                return error
            return None

        refused = wait_for(refusal, "the API server to have compiled the policy", every=0.1)
        assert (refused.status, "one at a time" in refused.message) == (422, True)
        namespace.create(a_job("narrow", a_script("exit 0")))
    finally:
        control_plane.api.delete("validatingadmissionpolicybindings", name)
        control_plane.api.delete("validatingadmissionpolicies", name)


def test_a_full_quota_answers_403_even_for_a_name_that_exists(namespace: Namespace) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}}
    namespace.create({**quota, "spec": {"hard": {"count/jobs.batch": "1"}}})
    wait_for(lambda: namespace.get("resourcequotas", "one")["status"].get("hard"), "the quota to be known")
    job = a_job("only", a_script("exit 0"))
    namespace.create(job)

    def refusal() -> ApiError | None:
        with pytest.raises(ApiError) as refused:
            namespace.create(job)
        return refused.value if refused.value.status == 403 else None

    assert "exceeded quota" in wait_for(refusal, "the quota to be counted").message


def test_a_job_whose_pods_the_quota_refuses_says_so_in_an_event(namespace: Namespace) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    namespace.create({**quota, "spec": {"hard": {"pods": "0"}}})
    wait_for(lambda: namespace.get("resourcequotas", "none")["status"].get("hard"), "the quota to be known")
    namespace.create(a_job("poor", a_script("exit 0")))
    event = wait_for(
        lambda: next((each for each in namespace.events("poor") if each["reason"] == "FailedCreate"), None), "the event"
    )
    assert "exceeded quota: none" in event["message"]


def may_list(api: Api, namespace: str) -> bool:
    try:
        return api.listed("jobs", namespace) == []
    except ApiError as error:
        assert error.status == 403, error
        return False


class TestServiceAccounts:
    @pytest.fixture
    def reader(self, namespace: Namespace) -> str:
        """An account that may look at Jobs."""
        subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace.name}
        group = "rbac.authorization.k8s.io"
        rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]}]
        for thing in (
            {"apiVersion": "v1", "kind": "ServiceAccount"},
            {"apiVersion": f"{group}/v1", "kind": "Role", "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "subjects": [subject],
                "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
            },
        ):
            namespace.create({**thing, "metadata": {"name": "reader"}})
        return "reader"

    @pytest.mark.parametrize("seconds", [3600, 60])
    def test_an_account_may_do_what_its_role_says(
        self, control_plane: ControlPlane, namespace: Namespace, reader: str, seconds: int
    ) -> None:
        with control_plane.as_account(namespace.name, reader, seconds) as api:
            wait_for(lambda: may_list(api, namespace.name), "the role to be known")
            with pytest.raises(ApiError, match=f"system:serviceaccount:{namespace.name}:reader") as refusal:
                api.create(a_job("mine", a_script("exit 0")), namespace.name)
        assert refusal.value.status == 403

    def test_a_token_that_has_expired(self, control_plane: ControlPlane, namespace: Namespace, reader: str) -> None:
        with control_plane.as_account(namespace.name, reader, 0) as api, pytest.raises(ApiError) as refusal:
            api.listed("jobs", namespace.name)
        assert refusal.value.status == 401

    def test_a_node_may_not_touch_the_pods_of_others(self, control_plane: ControlPlane, namespace: Namespace) -> None:
        namespace.create(a_pod("not-mine", a_script("exit 0")))
        stranger = control_plane.as_user("system:node:stranger", "system:nodes")
        with stranger as api, pytest.raises(ApiError) as refusal:
            api.delete("pods", "not-mine", namespace.name, grace=0)
        assert refusal.value.status == 403
