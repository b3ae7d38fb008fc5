"""KubeScribe on the test's control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.support.clusters import Cluster
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


@pytest.fixture
def world(
    loop: asyncio.Runner, control_plane: ControlPlane, namespace: Namespace, databases: ThreeDatabases
) -> Iterator[ClusterWorld]:
    """KubeScribe, whose pods find no node unless the test has one."""
    namespace.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "kubescribe-runner"}})
    kubeconfig = control_plane.kubeconfig("kubescribe-admin", "system:masters")
    world = ClusterWorld(loop, namespace, kubeconfig, variables(databases))
    with world.opened():
        yield world
        namespace.clear()


@pytest.fixture
def node(nodes: Callable[..., Node], databases: ThreeDatabases) -> Node:
    """One whose pods find the databases."""
    return nodes(image=Image(variables=variables(databases)))
