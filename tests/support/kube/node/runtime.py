"""What a node does in its thread: watches its pods, keeps its Lease, ends what takes too much memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.kube.authority import Identity
from tests.support.kube.resources import BY_NAME, ApiError, Json
from tests.support.kube.times import now

from .connection import Connection
from .container import Container
from .holds import Hold
from .image import Image
from .log_server import LogServer
from .pod_worker import PodWorker
from .quantities import quantity
from .registration import Registration
from .sources import Sources

_RETRY = 0.1
_LOOK_AT_MEMORY = 0.2


@dataclass(frozen=True)
class Settings:
    """What a node is."""

    folder: Path
    """Where its pods have theirs."""
    mark: str
    """Of its processes."""
    image: Image
    labels: Mapping[str, str]
    allocatable: Json
    renew_every: float
    """Seconds between renewals of its Lease."""


class Runtime:
    """One node. Everything here belongs to its event loop."""

    def __init__(
        self,
        name: str,
        server: str,
        authority: Path,
        identity: Identity,
        settings: Settings,
    ) -> None:
        self.name, self.image, self._settings = name, settings.image, settings
        self.connection = Connection(server, authority, identity)
        self.sources = Sources(self.connection, settings.allocatable)
        self.holds: list[Hold] = []
        url = httpx.URL(server)
        self.inherited = {"KUBERNETES_SERVICE_HOST": url.host, "KUBERNETES_SERVICE_PORT": str(url.port)}
        self.workers: dict[str, PodWorker] = {}
        """By the pods' UIDs; those whose objects are gone are left out as soon as nothing of them runs."""
        self.failures: list[BaseException] = []
        """What a node must not do: the tests hear of it."""
        self._registration = Registration(self.connection, name, settings.labels, settings.allocatable)
        self._logs = LogServer(authority, identity, self._container)
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._duties: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    async def run(self, registered: asyncio.Event) -> None:
        """Be a node until :meth:`end`."""
        await self._logs.open()
        await self._registration.register(self._logs.port)
        memory = asyncio.ensure_future(self._watch_memory())
        self._begin_duties()
        registered.set()
        try:
            await self._over.wait()
        finally:
            await self.connection.cut()
            await self._stop_duties()
            workers = list(self.workers.values())
            tasks = [memory, *self._lives.values(), *self._errands]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in (each for worker in workers for each in worker.containers):
                each.end_now()
            await self.connection.close()

    def end(self) -> None:
        """Stop at once, killing what runs."""
        self._over.set()

    async def disconnect(self) -> None:
        """No word comes or goes any more; what runs, runs on."""
        await self.connection.cut()
        await self._stop_duties()

    async def reconnect(self) -> None:
        """The opposite of :meth:`disconnect`."""
        self.connection.mend()
        await self._logs.open()
        await self._registration.say_ready(self._logs.port)
        self._begin_duties()

    def tell(self, pod: Json, kind: str, reason: str, message: str) -> None:
        """Make an event of the pod; nobody waits for it."""
        task = asyncio.ensure_future(self._tell(pod, kind, reason, message))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _tell(self, pod: Json, kind: str, reason: str, message: str) -> None:
        metadata, moment = pod["metadata"], now()
        of = {"apiVersion": "v1", "kind": "Pod", **{key: metadata[key] for key in ("name", "namespace", "uid")}}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": of,
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet", "host": self.name},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
            "reportingComponent": "kubelet",
            "reportingInstance": self.name,
        }
        with contextlib.suppress(httpx.TransportError, ApiError):
            await self.connection.call("POST", BY_NAME["events"].path(metadata["namespace"]), event)

    def _begin_duties(self) -> None:
        renewing = self._registration.renew(self._logs.port, self._settings.renew_every)
        self._duties = [asyncio.ensure_future(renewing), asyncio.ensure_future(self._follow_pods())]

    async def _stop_duties(self) -> None:
        for duty in self._duties:
            duty.cancel()
        await asyncio.gather(*self._duties, return_exceptions=True)
        await self._logs.close()

    async def _follow_pods(self) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError, ApiError):
                mine = {"fieldSelector": f"spec.nodeName={self.name}"}
                async with contextlib.aclosing(self.connection.list_and_watch("pods", **mine)) as changes:
                    async for kind, thing in changes:
                        self._learn(kind, thing)
            await asyncio.sleep(_RETRY)

    def _learn(self, kind: str, thing: Json) -> None:
        if kind == "LIST":
            listed = {pod["metadata"]["uid"]: pod for pod in thing["items"]}
            for uid, worker in self.workers.items():
                if uid not in listed:
                    worker.remove()
            for pod in listed.values():
                self._see(pod)
        elif kind == "DELETED":
            if gone := self.workers.get(thing["metadata"]["uid"]):
                gone.remove()
        else:
            self._see(thing)

    def _see(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self.workers:
            if pod["status"].get("phase") in ("Succeeded", "Failed") and "deletionTimestamp" not in pod["metadata"]:
                return  # of a life of this node that is over
            worker = PodWorker(self, pod, self._settings.folder / uid, f"{self._settings.mark}/{uid}")
            self.workers[uid] = worker
            self._lives[uid] = asyncio.ensure_future(worker.live())
            self._lives[uid].add_done_callback(lambda life: self._ended(uid, life))
        self.workers[uid].update(pod)

    def _ended(self, uid: str, life: asyncio.Task[None]) -> None:
        del self.workers[uid], self._lives[uid]
        if not life.cancelled() and (error := life.exception()) is not None:
            self.failures.append(error)

    def _container(self, namespace: str, pod: str, name: str) -> Container | None:
        workers = [worker for worker in self.workers.values() if worker.name == (namespace, pod)]
        found = [each for worker in workers for each in worker.containers]
        return next((each for each in reversed(found) if each.spec["name"] == name), None)

    async def _watch_memory(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_MEMORY)
            for worker in self.workers.values():
                for each in worker.containers:
                    limit = each.spec.get("resources", {}).get("limits", {}).get("memory")
                    if limit and "running" in each.state and each.process and each.process.memory() > quantity(limit):
                        each.out_of_memory = True
                        each.process.kill()
