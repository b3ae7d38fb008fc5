"""A node's own object and Lease."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import httpx

from tests.support.kube.resources import ApiError, Json
from tests.support.kube.times import now, precise_now

from .connection import Connection
from .downward import ADDRESS

LEASES = "kube-node-lease"
_STATUS_EVERY = 5
"""Every so many renewals the node's conditions are said again: somebody may have taken it for lost meanwhile."""


class Registration:
    """Makes the node known, and keeps it alive."""

    def __init__(self, connection: Connection, name: str, labels: Mapping[str, str], allocatable: Json) -> None:
        self._connection = connection
        self._name = name
        self._labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            **labels,
        }
        self._allocatable = allocatable

    async def register(self, port: int) -> None:
        """Make Node and Lease; ``port`` is where logs are served."""
        metadata = {"name": self._name, "labels": self._labels}
        await self._connection.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {}})
        await self.say_ready(port)
        await self._connection.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name, "namespace": LEASES},
                "spec": {"holderIdentity": self._name, "leaseDurationSeconds": 40, "renewTime": precise_now()},
            }
        )

    async def say_ready(self, port: int) -> None:
        """Say what it has, and that all is well."""
        moment = now()
        conditions = [
            {"type": kind, "status": status, "reason": reason, "message": "", "lastHeartbeatTime": moment}
            for kind, status, reason in (
                ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                ("PIDPressure", "False", "KubeletHasSufficientPID"),
                ("Ready", "True", "KubeletReady"),
            )
        ]
        status = {
            "capacity": self._allocatable,
            "allocatable": self._allocatable,
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": self._name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        await self._connection.patch_status("nodes", self._name, {"status": status})

    async def renew(self, port: int, every: float) -> None:
        """Renew the Lease for ever."""
        count = 0
        while True:
            with contextlib.suppress(httpx.TransportError, ApiError):
                await self._connection.merge("leases", self._name, {"spec": {"renewTime": precise_now()}}, LEASES)
                count += 1
                if count % _STATUS_EVERY == 0:
                    await self.say_ready(port)
            await asyncio.sleep(every)
