"""A control plane with databases and the API's side, for as long as one measurement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.support.clusters import Cluster
from tests.support.kube.control_plane import ADMINISTRATOR, ControlPlane
from tests.support.kube.fault_proxy import FaultProxy
from tests.support.kube.namespace import Namespace
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases, three_databases


class Scene(NamedTuple):
    """What a measurement has at hand."""

    plane: ControlPlane
    namespace: Namespace
    cluster: ClusterWorld
    databases: ThreeDatabases
    loop: asyncio.Runner
    proxy: FaultProxy
    """Nobody is behind it unless it was asked for."""


@contextmanager
def scene(*, proxied: bool = False, **settings: str) -> Iterator[Scene]:
    """``proxied``: the API's side asks the API server through the proxy. ``settings``: of the API's side."""
    with ExitStack() as stack:
        databases = stack.enter_context(three_databases(stack.enter_context(Cluster())))
        plane = stack.enter_context(ControlPlane())
        namespace = plane.namespace("bench", pod_security="restricted")
        namespace.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "kubescribe-runner"}})
        user, groups = ADMINISTRATOR
        identity = plane.authority.issue(user, groups)
        proxy = stack.enter_context(FaultProxy(plane.url, plane.authority.file, identity))
        kubeconfig = proxy.kubeconfig(plane.folder) if proxied else plane.kubeconfig(user, *groups)
        loop = stack.enter_context(asyncio.Runner())
        cluster = ClusterWorld(loop, namespace, kubeconfig, {**variables(databases), **settings})
        stack.enter_context(cluster.opened())
        stack.callback(namespace.clear)
        yield Scene(plane, namespace, cluster, databases, loop, proxy)
