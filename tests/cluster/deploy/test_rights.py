"""S-16, S-17: what the service accounts may do, of everything that this API server knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import API, RUNS
from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane

GOLDEN = Path(__file__).parent / "rights.txt"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# What no discovery lists as a verb, and what makes more of one's rights.
BEYOND = [
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
    ("", "serviceaccounts", "impersonate"),
    ("rbac.authorization.k8s.io", "roles", "escalate"),
    ("rbac.authorization.k8s.io", "roles", "bind"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("certificates.k8s.io", "signers", "approve"),
    ("certificates.k8s.io", "signers", "sign"),
]
# What every account may ask about itself: Kubernetes' own role system:basic-user.
BASIC = {f"{kind} create" for kind in ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")}


def resources(api: Api) -> Iterator[tuple[str, str]]:
    """Group and name of every resource and subresource."""
    groups: list[Any] = api.call("GET", "/apis")["groups"]
    for version in ["/api/v1", *(f"/apis/{one['groupVersion']}" for group in groups for one in group["versions"])]:
        group = version.removeprefix("/apis/").split("/")[0] if version.startswith("/apis/") else ""
        for one in api.call("GET", version)["resources"]:
            yield group, one["name"]


def may(api: Api, namespace: str, group: str, resource: str, verb: str) -> bool:
    name, _, subresource = resource.partition("/")
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": name, "subresource": subresource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def rights(administrator: Api, asking: Api, namespace: str) -> list[str]:
    """``resource verb`` for all that the account may do in the namespace; without a name that is all of them."""
    asked = [(group, resource, verb) for group, resource in sorted(set(resources(administrator))) for verb in VERBS]
    return [
        f"{resource} {verb}"
        for group, resource, verb in asked + BEYOND
        if may(asking, namespace, group, resource, verb)
    ]


@pytest.mark.parametrize("namespace", [RUNS, "kubescribe", ""])
def test_the_apis_rights_are_the_golden_ones(installed: ControlPlane, as_api: Api, namespace: str) -> None:
    """The empty namespace stands for what belongs to none, and for all at once."""
    golden = GOLDEN.read_text().splitlines() if namespace == RUNS else []
    assert sorted(set(rights(installed.api, as_api, namespace)) - BASIC) == golden


@pytest.mark.parametrize(("home", "account"), [(RUNS, "kubescribe-runner"), ("kubescribe", "kubescribe-migrate")])
def test_the_others_have_none(installed: ControlPlane, home: str, account: str) -> None:
    with installed.as_account(home, account) as asking:
        assert set(rights(installed.api, asking, home)) <= BASIC


def test_the_golden_file_has_nothing_that_leads_further() -> None:
    listed = GOLDEN.read_text()
    for word in (
        "*",
        "secrets",
        "exec",
        "attach",
        "portforward",
        "ephemeral",
        "token",
        "escalate",
        "bind",
        "impersonate",
    ):
        assert word not in listed


def test_the_matrix_sees_a_right_that_is_added(installed: ControlPlane, as_api: Api) -> None:
    more = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "more", "namespace": RUNS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": API[1], "namespace": API[0]}],
    }
    installed.api.create(more, RUNS)
    try:
        from tests.support.waiting import wait_for

        wait_for(lambda: may(as_api, RUNS, "", "configmaps", "list"), "the binding to be in force", timeout=30)
        assert "configmaps list" in rights(installed.api, as_api, RUNS)
    finally:
        installed.api.delete("rolebindings", "more", RUNS)
