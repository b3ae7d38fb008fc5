"""KubeScribe on the test's control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.support.clusters import Cluster
from tests.support.deployment import RUNS, base
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases, three_databases


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


def grant(control_plane: ControlPlane, namespace: Namespace) -> None:
    """What ``deploy/`` lets the API do, and no more, to a service account of the test's namespace."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace.name}"
    for thing in base():
        if thing["kind"] in ("Role", "RoleBinding") and thing["metadata"].get("namespace") == RUNS:
            thing["metadata"]["namespace"] = namespace.name
            if thing["kind"] == "RoleBinding":
                thing["subjects"] = [{"kind": "ServiceAccount", "name": "default", "namespace": namespace.name}]
            control_plane.api.call("POST", f"{path}/{thing['kind'].lower()}s", thing)


@pytest.fixture
def world(
    loop: asyncio.Runner, control_plane: ControlPlane, namespace: Namespace, databases: ThreeDatabases
) -> Iterator[ClusterWorld]:
    """KubeScribe, whose pods find no node unless the test has one."""
    namespace.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "kubescribe-runner"}})
    grant(control_plane, namespace)
    kubeconfig = control_plane.token_kubeconfig(namespace.name, "default")
    world = ClusterWorld(loop, namespace, kubeconfig, variables(databases))
    with world.opened():
        yield world
        namespace.clear()


@pytest.fixture
def node(nodes: Callable[..., Node], databases: ThreeDatabases) -> Node:
    """One whose pods find the databases."""
    return nodes(image=Image(variables=variables(databases)))
