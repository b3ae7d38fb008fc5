"""How soon ``kubescribe api`` has the right word on record for an end that nobody could tell of."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from kubescribe.domain.attempt import Attempt
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run_status import RunStatus
from tests.support.api_process import ApiProcess
from tests.support.command_line import CommandLine
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.world import variables
from tests.support.waiting import wait_for

from .scene import Scene, scene

_OURS = ("KUBESCRIBE_HEARTBEAT", "KUBESCRIBE_LEASE")
"""Shortened in tests; what is measured is a lease of 60 s."""
_PATIENCE = 150.0


class Known(NamedTuple):
    """Seconds until the record was right."""

    happened: float
    """Since it happened."""
    known: float | None
    """Since the API server's objects said so; None: they did not by then."""


class Bench:
    """Runs that come to a bad end, one at a time."""

    def __init__(self, at: Scene, api: ApiProcess, nodes: list[Node]) -> None:
        self._at, self._api, self._nodes = at, api, nodes

    def out_of_memory(self) -> Known:
        """To FAILED(oom_killed)."""
        run_id, node, pod = self._started()
        node.pod(self._at.namespace.name, pod).run_out_of_memory()
        return self._clocked(lambda: self._over(pod), lambda: self._is(run_id, FailureCause.OOM_KILLED))

    def eviction(self) -> Known:
        """To an attempt that ended as evicted, its run waiting for the next."""
        run_id, node, pod = self._started()
        node.evict(self._at.namespace.name, pod)
        known = self._clocked(lambda: self._over(pod), lambda: self._ended(run_id, FailureCause.EVICTED))
        self._at.cluster.cancel(run_id)
        return known

    def deletion(self) -> Known:
        """Of the Job, to CANCELLED."""
        run_id, _, _ = self._started()
        name = self._at.cluster.job(run_id)["metadata"]["name"]
        self._at.namespace.delete("jobs", name)
        return self._clocked(
            lambda: not self._at.namespace.exists("jobs", name),
            lambda: self._at.cluster.run(run_id).status is RunStatus.CANCELLED,
        )

    def silence(self) -> Known:
        """Of a machine that is switched off, to an attempt that was given up."""
        run_id, node, _ = self._started()
        node.lose("killed")
        known = self._clocked(lambda: False, lambda: bool(self._last(run_id).ended_at))
        node.come_back()
        return known

    def _started(self) -> tuple[UUID, Node, str]:
        status, _, body = self._api.ask("POST", "/runs/trigger", {"pipeline": "sleeper"})
        assert status == 202, body
        run_id = UUID(msgspec.json.decode(body)["id"])
        pod = self._at.cluster.running(run_id)
        name = self._last(run_id).whereabouts.node
        return run_id, next(node for node in self._nodes if node.name == name), pod

    def _last(self, run_id: UUID) -> Attempt:
        return self._at.cluster.attempts(run_id)[-1]

    def _over(self, pod: str) -> bool:
        phase = self._at.namespace.get("pods", pod)["status"]["phase"] if self._at.namespace.exists("pods", pod) else ""
        return phase in ("Failed", "Succeeded", "")

    def _is(self, run_id: UUID, cause: FailureCause) -> bool:
        run = self._at.cluster.run(run_id)
        assert not run.status.terminal or run.cause is cause, run
        return run.status is RunStatus.FAILED

    def _ended(self, run_id: UUID, cause: FailureCause) -> bool:
        first = self._at.cluster.attempts(run_id)[0]
        return first.certificate is not None and first.certificate.cause is cause

    def _clocked(self, cluster_knows: Callable[[], bool], on_record: Callable[[], bool]) -> Known:
        began = time.monotonic()
        known: list[float] = []

        def done() -> bool:
            if not known and cluster_knows():
                known.append(time.monotonic())
            return on_record()

        wait_for(done, "the record", timeout=_PATIENCE, every=0.05)
        ended = time.monotonic()
        return Known(ended - began, ended - known[0] if known else None)


def detection(times: int) -> dict[str, list[Known]]:
    """Each kind so often, and silence once: it takes as long as a lease."""
    with ExitStack() as stack:
        at = stack.enter_context(scene())
        given = {name: value for name, value in variables(at.databases).items() if name not in _OURS}
        nodes = [stack.enter_context(Node(at.plane, f"node-{n}", image=Image(variables=given))) for n in (1, 2)]
        at.cluster.apply("sleeper")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = {name: at.cluster.environ[name] for name in at.cluster.environ if name.startswith("KUBESCRIBE_")}
        settings = {name: value for name, value in kept.items() if name not in (*_OURS, "KUBESCRIBE_ACTOR")}
        commands = CommandLine(folder, at.databases, KUBECONFIG=at.cluster.environ["KUBECONFIG"], **settings)
        api = stack.enter_context(ApiProcess(commands))
        bench = Bench(at, api, nodes)
        return {
            "out of memory": [bench.out_of_memory() for _ in range(times)],
            "eviction": [bench.eviction() for _ in range(times)],
            "deletion of the Job": [bench.deletion() for _ in range(times)],
            "silence: its machine is switched off": [bench.silence()],
        }
