"""Who we are to the API server: a pod's service account, whose token is another one every now and then."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from kubescribe.adapters.kubernetes.connection import ApiServer, path_of
from kubescribe.domain.errors import ClusterRefused, ClusterUnavailable
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace


@pytest.fixture
def account(control_plane: ControlPlane, namespace: Namespace, tmp_path: Path) -> Path:
    """A service account's folder, as a pod has it mounted; it may do nothing but look at Jobs."""
    (tmp_path / "token").write_text(control_plane.token(namespace.name, "default"))
    shutil.copy(control_plane.authority.file, tmp_path / "ca.crt")
    rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]}]
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "looks"}, "rules": rules}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace.name}
    reference = {"apiGroup": group, "kind": "Role", "name": "looks"}
    binding = {**role, "kind": "RoleBinding", "subjects": [subject], "roleRef": reference}
    binding.pop("rules")
    path = f"/apis/{group}/v1/namespaces/{namespace.name}"
    control_plane.api.call("POST", f"{path}/roles", role)
    control_plane.api.call("POST", f"{path}/rolebindings", binding)
    return tmp_path


def server(control_plane: ControlPlane, folder: Path) -> ApiServer:
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(control_plane.port)}
    return ApiServer(folder=folder, environ=environ)


def test_a7_a_token_that_was_rotated_is_read_again(
    control_plane: ControlPlane, namespace: Namespace, account: Path, loop: asyncio.Runner
) -> None:
    good = (account / "token").read_text()
    (account / "token").write_text("expired")
    api = server(control_plane, account)
    assert api.in_cluster
    with pytest.raises(ClusterUnavailable, match="does not accept our token"):
        loop.run(api.read(path_of("jobs", namespace.name)))
    (account / "token").write_text(good)
    assert loop.run(api.read(path_of("jobs", namespace.name)))
    loop.run(api.close())


def test_a_missing_right_is_said_with_what_to_do(
    control_plane: ControlPlane, namespace: Namespace, account: Path, loop: asyncio.Runner
) -> None:
    api = server(control_plane, account)
    with pytest.raises(ClusterRefused, match=r"pods.* is forbidden.*look at what that account may do"):
        loop.run(api.read(path_of("pods", namespace.name)))
    assert loop.run(api.read(path_of("jobs", namespace.name, "not-there"))) is None
    loop.run(api.close())


def test_a8_an_api_server_that_is_away_says_nothing_about_anything(tmp_path: Path, loop: asyncio.Runner) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "
        "'http://127.0.0.1:1'}}], users: [{name: u, user: {}}], contexts: [{name: c, context: {cluster: c, user: u}}]}"
    )
    api = ApiServer(str(file))
    with pytest.raises(ClusterUnavailable, match="what runs goes on"):
        loop.run(api.read(path_of("jobs", "default")))
    loop.run(api.close())
