"""One pod's life on a node, as a kubelet leads it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.support.kube.resources import BY_NAME, ApiError, Json
from tests.support.kube.times import now

from .connection import Connection
from .container import Container
from .holds import Hold
from .image import Image
from .sources import NotThere, Sources
from .statuses import Conditions, phase_of, pod_status
from .volumes import fill

_RETRY = 0.2
"""Seconds until a kubelet looks again for a secret or an image (in truth 10 to 300)."""


class Surroundings(Protocol):
    """What a pod sees of its node."""

    connection: Connection
    sources: Sources
    image: Image
    inherited: dict[str, str]
    holds: list[Hold]

    def tell(self, pod: Json, kind: str, reason: str, message: str) -> None:
        """Make an event of it."""
        ...


@dataclass(frozen=True)
class Verdict:
    """The node ends the pod for reasons of its own."""

    reason: str
    message: str


class PodWorker:
    """Runs a pod's containers once, and says what becomes of them until the pod's object is gone."""

    def __init__(self, node: Surroundings, pod: Json, folder: Path, mark: str) -> None:
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.containers = [Container(pod, spec, folder, f"{mark}/{spec['name']}") for spec in pod["spec"]["containers"]]
        self.finished = asyncio.Event()
        """Nothing of it runs any more."""
        self._node, self._folder = node, folder
        self._volumes: dict[str, Path] = {}
        self._removed = False
        self._verdict: Verdict | None = None
        self._to_stop = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._stop_at = float("inf")
        self._started = now()
        self._conditions = Conditions()

    @property
    def name(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.pod["metadata"]["namespace"], self.pod["metadata"]["name"]

    def update(self, pod: Json) -> None:
        """The API server says so."""
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            # A grace period of none is one second; it can become shorter, never longer.
            self._stop_within(max(pod["metadata"].get("deletionGracePeriodSeconds", 0), 1))
            self._unwanted.set()

    def remove(self) -> None:
        """The pod's object is gone, whatever its containers do: they still get the grace period of their spec."""
        if not self._removed:
            self._removed = True
            self._stop_within(max(self.pod["spec"].get("terminationGracePeriodSeconds", 30), 1))
            self._unwanted.set()

    def end(self, verdict: Verdict, grace: float) -> None:
        """The node has no room for it any more."""
        self._verdict = verdict
        self._node.tell(self.pod, "Warning", verdict.reason, verdict.message)
        self._stop_within(grace)

    def _stop_within(self, seconds: float) -> None:
        self._stop_at = min(self._stop_at, asyncio.get_running_loop().time() + seconds)
        self._to_stop.set()

    async def live(self) -> None:
        """All of it; ends when the object is gone."""
        self._folder.mkdir(parents=True)
        started = asyncio.ensure_future(self._start())
        await self._or_stop(started)
        if not started.done():
            started.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await started
        else:
            started.result()
        over = asyncio.gather(*(each.ended() for each in self.containers))
        if await self._or_stop(over):
            self._node.tell(self.pod, "Normal", "Killing", f"Stopping container {self.containers[0].spec['name']}")
            await asyncio.gather(*(each.stop(lambda: self._stop_at) for each in self.containers))
        await over
        for each in self.containers:
            each.lose()
        self.finished.set()
        await self._report()
        await self._unwanted.wait()
        await self._give_up_object()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _or_stop(self, work: asyncio.Future[Any]) -> bool:
        """Wait for the work, or for the word to stop; whether it is the latter."""
        stop = asyncio.ensure_future(self._to_stop.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        return not work.done()

    async def _start(self) -> None:
        await self._report()
        await self._held()
        await self._filled()
        for each in self.containers:
            await self._started_container(each)
        self._node.tell(self.pod, "Normal", "Started", f"Started container {self.containers[0].spec['name']}")
        await self._report()

    async def _held(self) -> None:
        shown: dict[int, int] = {}
        while hold := next((each for each in self._node.holds if each.holds(self.pod)), None):
            step = shown.get(id(hold), 0)
            if step < len(hold.reasons):
                reason = hold.reasons[step]
                for each in self.containers:
                    each.wait_for(reason, hold.words(reason, each.spec["image"]))
                if reason != "ContainerCreating":
                    words = hold.words(reason, self.containers[0].spec["image"])
                    kind = "BackOff" if "BackOff" in reason else "Failed"
                    self._node.tell(self.pod, "Warning", kind, words or f"Error: {reason}")
                await self._report()
                shown[id(hold)] = step + 1
            await asyncio.sleep(_RETRY)

    async def _filled(self) -> None:
        said = ""
        while True:
            try:
                self._volumes = await fill(self.pod, self._folder / "volumes", self._node.sources)
                return
            except NotThere as error:
                if str(error) != said:
                    said = str(error)
                    self._node.tell(self.pod, "Warning", "FailedMount", f"MountVolume.SetUp failed: {said}")
            await asyncio.sleep(_RETRY)

    async def _started_container(self, container: Container) -> None:
        refusal = self._not_imitated(container.spec)
        while True:
            try:
                if refusal:
                    raise NotThere(refusal)
                await container.start(self._node.sources, self._volumes, self._node.image, self._node.inherited)
                return
            except NotThere as error:
                if container.state.get("waiting", {}).get("message") != str(error):
                    container.wait_for("CreateContainerConfigError", str(error))
                    self._node.tell(self.pod, "Warning", "Failed", f"Error: {error}")
                    await self._report()
            await asyncio.sleep(_RETRY)

    def _not_imitated(self, container: Json) -> str | None:
        if self.pod["spec"].get("restartPolicy") != "Never":
            return "this node restarts nothing: restartPolicy has to be Never"
        for field in ("initContainers", "activeDeadlineSeconds"):
            if self.pod["spec"].get(field):
                return f"this node has no {field}"
        probes = {"livenessProbe", "readinessProbe", "startupProbe"} & container.keys()
        return f"this node has no probes: {', '.join(sorted(probes))}" if probes else None

    def _status(self) -> Json:
        phase = phase_of([each.state for each in self.containers])
        if self._verdict is not None and self.finished.is_set():
            phase = "Failed"
        status = pod_status([each.status() for each in self.containers], phase, self._started, self._conditions)
        if self._verdict is not None and self.finished.is_set():
            status |= {"reason": self._verdict.reason, "message": self._verdict.message}
            reason = ("True", "TerminationByKubelet", self._verdict.message)
            status["conditions"].append(self._conditions.made("DisruptionTarget", *reason))
        return status

    async def _report(self) -> None:
        """Tell the API server; it takes the word of this pod alone, not of one that was made anew under its name."""
        namespace, name = self.name
        while not self._removed:
            change = {"metadata": {"uid": self.uid}, "status": self._status()}
            try:
                await self._node.connection.patch_status("pods", name, change, namespace)
                return
            except ApiError as error:
                there = await self._node.connection.get("pods", name, namespace)
                if there is None or there["metadata"]["uid"] != self.uid:
                    return
                if error.status != 409:  # too many wrote at once
                    raise

    async def _give_up_object(self) -> None:
        if self._removed:
            return
        namespace, name = self.name
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        with contextlib.suppress(ApiError):
            await self._node.connection.persist("DELETE", BY_NAME["pods"].path(namespace, name), options)
