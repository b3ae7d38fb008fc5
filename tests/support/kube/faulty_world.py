"""A world to break (:class:`~tests.support.world.World`) whose runs are Jobs of a control plane of its own."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Literal
from uuid import UUID

import msgspec

from kubescribe.domain.errors import KubescribeError
from kubescribe.domain.run import Run
from tests.support.command_line import ROOT
from tests.support.family import Plan
from tests.support.reconciler import Pass
from tests.support.world import World

from .control_plane import ADMINISTRATOR, ControlPlane
from .fault_proxy import FaultProxy
from .node.image import Image
from .node.node import Node, NodePod
from .recorder import Recorder
from .resources import ApiError, Json
from .world import ClusterWorld

MODULE = "tests.support.fault_pipelines"
RUN_ID = "kubescribe.io/run-id"
_OF_THE_API = ("KUBESCRIBE_HOME", "KUBESCRIBE_ACTOR")


class FaultyCluster(World):
    """Three databases, a control plane, two nodes, and the API's side in this process, behind a faulty proxy."""

    def __enter__(self) -> FaultyCluster:
        super().__enter__()
        self._closing = ExitStack()
        try:
            self._open(self._closing)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _open(self, closing: ExitStack) -> None:
        self.plane = closing.enter_context(ControlPlane())
        self.namespace = self.plane.namespace("faults", pod_security="restricted")
        self.namespace.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "kubescribe-runner"}})
        given = {
            name: value
            for name, value in self.environment.items()
            if name.endswith("_DB_URL") or (name.startswith(("KUBESCRIBE_", "POLARS_")) and name not in _OF_THE_API)
        }
        image = Image(variables={**given, "PYTHONPATH": f"{ROOT / '.import'}:{ROOT}"})
        self.nodes = [closing.enter_context(Node(self.plane, f"node-{number}", image=image)) for number in (1, 2)]
        identity = self.plane.authority.issue(*ADMINISTRATOR)
        self.proxy = closing.enter_context(FaultProxy(self.plane.url, self.plane.authority.file, identity))
        loop = closing.enter_context(asyncio.Runner())
        kubeconfig = self.proxy.kubeconfig(self.plane.folder)
        environ = {**self.environment, "KUBESCRIBE_KEEP_JOBS": "100"}
        self.cluster = ClusterWorld(loop, self.namespace, kubeconfig, environ, MODULE)
        closing.enter_context(self.cluster.opened())
        self.reconciler.close()
        self.reconciler = ClusterReconciler(self)
        self.recorder = closing.enter_context(Recorder(self.plane, self.namespace.name))
        closing.callback(self.namespace.clear)
        self.manifests = {name: self.cluster.apply(name, _tried_twice) for name in ("family", "brief")}
        self._lost: list[Node] = []
        self.fired = 0
        """How many Jobs of a schedule there were."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._closing.close()
        finally:
            super().__exit__(kind, error, trace)

    def trigger(self, plan: Plan) -> Run:
        """Ask for a run of ``family``."""
        run = self.cluster.trigger("family", plan=msgspec.to_builtins(plan))
        self.history.plans[run.id] = plan
        return run

    def pod_of(self, run_id: UUID) -> NodePod | None:
        """The newest pod of a run whose processes run, as its node knows it; None: there is none."""
        found = []
        for node in self.nodes:
            for namespace, name in node.pods():
                with suppress(AssertionError):
                    pod = node.pod(namespace, name, timeout=0)
                    if run_of(pod.object) == str(run_id) and pod.pids():
                        found.append(pod)
        return max(found, key=lambda pod: str(pod.object["metadata"]["creationTimestamp"]), default=None)

    def node_of(self, pod: NodePod) -> Node:
        """Where it runs."""
        name = pod.object["spec"]["nodeName"]
        return next(node for node in self.nodes if node.name == name)

    def whole(self) -> None:
        """All databases, nodes and parts of the control plane are up, and answers arrive."""
        self.proxy.faults = lambda method, path: None
        self.up()
        self.plane.start()
        self.come_back()

    def lose_node(self, processes: Literal["stopped", "running", "killed"]) -> None:
        """One of the nodes; AssertionError where that leaves none."""
        left = [node for node in self.nodes if node not in self._lost]
        assert len(left) > 1, "one has to be there"
        node = self.dice.choice(left)
        self._lost.append(node)
        node.lose(processes)

    def come_back(self) -> None:
        """Every lost node is back."""
        while self._lost:
            self._lost.pop().come_back()

    def emptied(self) -> None:
        """No Job and no pod is there any more."""
        for job in self.namespace.listed("jobs"):
            with suppress(ApiError):
                self.namespace.delete("jobs", job["metadata"]["name"])
        for pod in self.namespace.listed("pods"):
            with suppress(ApiError):
                self.namespace.delete("pods", pod["metadata"]["name"], grace=0)
        self.wait(lambda: not self.namespace.listed("pods") and not self.namespace.listed("jobs"), "an empty namespace")

    def tidy(self) -> None:
        """End what is left of a case that failed, so that the next one begins with a quiet world."""
        self.whole()
        self.emptied()
        self.change("runlog", "UPDATE run SET run_deadline_at = clock_timestamp() WHERE finished_at IS NULL")
        self.reconciler()
        self.recorder.forget()
        self.reader.faults.clear()
        self.reader.moments.clear()
        self.acts.clear()


class ClusterReconciler:
    """Passes of this process's container, looking at the cluster anew each time."""

    def __init__(self, world: FaultyCluster) -> None:
        self._world = world

    def __call__(self) -> Pass:
        """One pass, as a reconciler's process answers it."""
        try:
            with suppress(KubescribeError):
                self._world.cluster.later()
            done = self._world.cluster.reconcile().reconciled
        except KubescribeError as error:
            return Pass(75, [], [], str(error))
        return Pass(0, [{"id": str(run.id)} for run in done.changed], list(done.problems), "")

    def close(self) -> None:
        """Nothing is its own."""


def run_of(thing: Json) -> str:
    """The run of a Job, or of a Job's pod."""
    labels = thing["metadata"].get("labels") or {}
    its = labels.get(RUN_ID) or labels.get("batch.kubernetes.io/controller-uid") or thing["metadata"]["uid"]
    return str(its)


def _tried_twice(manifest: Json) -> None:
    """A pod that dies without a word is tried once more; one that is told to go has little time."""
    spec = manifest["spec"]["jobTemplate"]["spec"]
    spec["backoffLimit"] = 1
    spec["template"]["spec"]["terminationGracePeriodSeconds"] = 5
