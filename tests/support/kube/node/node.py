"""A node for tests, with everything that can go wrong on one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Literal, TypeVar

from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.resources import ApiError, Json
from tests.support.waiting import wait_for

from .container import Container
from .holds import Hold
from .image import Image
from .pod_worker import PodWorker, Verdict
from .process import Process
from .registration import LEASES
from .runtime import Runtime, Settings

T = TypeVar("T")
_PATIENCE = 30.0
_OUT_OF_MEMORY = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Mi."


class Node:
    """``with Node(plane) as node:``: pods that the scheduler gives it run as processes of this machine.

    Its thread starts them, so they end with it and with the test process. With one node alone the node controller
    takes a lost node for a fault of its own and evicts nobody: tests that lose one need two.
    """

    def __init__(
        self,
        plane: ControlPlane,
        name: str = "node",
        *,
        image: Image | None = None,
        labels: Mapping[str, str] | None = None,
        cpu: str = "16",
        memory: str = "64Gi",
        renew_every: float = 1.0,
    ) -> None:
        self.name = name
        self._plane = plane
        self._settings = Settings(
            folder=plane.folder / "pods" / name,
            mark=f"{plane.mark}/{name}",
            image=image or Image(),
            labels=labels or {},
            allocatable={"cpu": cpu, "memory": memory, "pods": "500", "ephemeral-storage": "100Gi"},
            renew_every=renew_every,
        )
        self._thread = threading.Thread(target=self._live, name=f"node {name}", daemon=True)
        self._known: concurrent.futures.Future[Runtime] = concurrent.futures.Future()
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Node:
        self._thread.start()
        self._runtime = self._known.result(_PATIENCE)
        try:
            wait_for(self.schedulable, f"the node {self.name} to be taken for ready", timeout=_PATIENCE, every=0.02)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill what runs, take the pods and the node away. Raises what went wrong in the node itself."""
        self._loop.call_soon_threadsafe(self._runtime.end)
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive(), f"the node {self.name} does not end"
        with contextlib.suppress(ApiError):
            for pod in self._plane.api.listed("pods", fieldSelector=f"spec.nodeName={self.name}"):
                metadata = pod["metadata"]
                with contextlib.suppress(ApiError):
                    self._plane.api.delete("pods", metadata["name"], metadata["namespace"], grace=0)
            self._plane.api.delete("nodes", self.name)
            self._plane.api.delete("leases", self.name, LEASES)
        if self._runtime.failures:
            raise AssertionError(f"the node {self.name} went wrong") from self._runtime.failures[0]

    def _live(self) -> None:
        async def live() -> None:
            identity = self._plane.authority.issue(f"system:node:{self.name}", ("system:nodes",))
            runtime = Runtime(self.name, self._plane.url, self._plane.authority.file, identity, self._settings)
            registered = asyncio.Event()
            running = asyncio.ensure_future(runtime.run(registered))
            waiting = asyncio.ensure_future(registered.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not running.done():
                self._known.set_result(runtime)
            await running

        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(live())
        except BaseException as error:
            if self._known.done():
                raise
            self._known.set_exception(error)

    def _here(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the node's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return self._here(done())

    def schedulable(self) -> bool:
        """Whether the controllers take it for ready."""
        return not self._plane.api.get("nodes", self.name)["spec"].get("taints")

    # Looking

    def pod(self, namespace: str, name: str, timeout: float = _PATIENCE) -> NodePod:
        """A pod whose first container runs here, waited for."""

        def running() -> NodePod | None:
            for worker in reversed(list(self._runtime.workers.values())):
                if worker.name == (namespace, name) and worker.containers[0].process is not None:
                    return NodePod(self._do, worker)
            return None

        return wait_for(running, f"the pod {namespace}/{name} to run on {self.name}", timeout=timeout)

    def pods(self) -> list[tuple[str, str]]:
        """Namespace and name of every pod that is here, running or not."""
        return self._do(lambda: [worker.name for worker in self._runtime.workers.values()])

    # What can go wrong

    def hold(self, *reasons: str, labels: Mapping[str, str] | None = None, message: str | None = None) -> Hold:
        """Keep the containers of pods (with these labels) from starting, and say why; see :class:`Hold`."""
        hold = Hold(reasons, labels or {}, message)
        self._do(lambda: self._runtime.holds.append(hold))
        return hold

    def lose(self, processes: Literal["stopped", "running", "killed"] = "stopped") -> None:
        """The node is not heard of any more: its machine hangs, its network is away, or it is switched off."""
        self._here(self._runtime.disconnect())
        for each in self._processes():
            if processes == "stopped":
                each.freeze()
            elif processes == "killed":
                each.kill()

    def come_back(self) -> None:
        """The opposite of :meth:`lose`: what was stopped goes on, and the node tells what happened meanwhile."""
        for each in self._processes():
            each.thaw()
        self._here(self._runtime.reconnect())

    def evict(self, namespace: str, name: str, *, grace: float = 1.0, message: str = _OUT_OF_MEMORY) -> None:
        """The node runs out of something and ends the pod, telling why; by default with a hard threshold's grace."""
        worker = self.pod(namespace, name).worker
        self._do(lambda: worker.end(Verdict("Evicted", message), grace))

    def shut_down(self, grace: float = 5.0) -> None:
        """The machine is shut down in order: every pod is told to go, and fails with the reason ``Terminated``."""
        message = "Pod was terminated in response to imminent node shutdown."

        def end_all() -> None:
            for worker in self._runtime.workers.values():
                if not worker.finished.is_set():
                    worker.end(Verdict("Terminated", message), grace)

        self._do(end_all)

    def _processes(self) -> list[Process]:
        def found() -> list[Process]:
            workers = self._runtime.workers.values()
            return [each.process for worker in workers for each in worker.containers if each.process is not None]

        return self._do(found)


class NodePod:
    """A pod as its node sees it: also when its object is gone and its processes are not."""

    def __init__(self, do: Callable[[Callable[[], None]], None], worker: PodWorker) -> None:
        self._do, self.worker = do, worker

    @property
    def object(self) -> Json:
        """As the node has seen it last."""
        return self.worker.pod

    @property
    def _container(self) -> Container:
        return self.worker.containers[0]

    @property
    def pid(self) -> int:
        """Of the first container's first process."""
        assert self._container.process is not None
        return self._container.process.pid

    def pids(self) -> list[int]:
        """All processes that run, of all containers."""
        return [pid for each in self.worker.containers if each.process is not None for pid in each.process.pids()]

    @property
    def exit_code(self) -> int | None:
        """Of the first container; None: it runs."""
        ended: Json = self._container.state.get("terminated", {})
        return ended.get("exitCode")

    def send(self, number: signal.Signals) -> None:
        """To the first process."""
        assert self._container.process is not None
        self._container.process.send(number)

    def freeze(self) -> None:
        """Every process stops, as on a machine that swaps itself to death."""
        for each in self.worker.containers:
            if each.process is not None:
                each.process.freeze()

    def thaw(self) -> None:
        """They go on."""
        for each in self.worker.containers:
            if each.process is not None:
                each.process.thaw()

    def run_out_of_memory(self) -> None:
        """The kernel kills the container: exit code 137, reason ``OOMKilled``."""
        assert self._container.process is not None
        self.say_out_of_memory()
        self._container.process.kill()

    def say_out_of_memory(self) -> None:
        """Something in it was killed for memory, and it goes on: its end, whatever it is, is ``OOMKilled``."""
        container = self._container

        def mark() -> None:
            container.out_of_memory = True

        self._do(mark)
