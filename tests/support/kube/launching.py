"""Supervisors as Jobs, for the launcher's contract: they do nothing, and wait to be ended."""

from __future__ import annotations

import asyncio
import signal
from uuid import UUID

import msgspec

from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.launcher import KubernetesLauncher
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application.ports.launcher import Sighting
from kubescribe.domain.attempt import Attempt
from kubescribe.domain.job_names import POD_FIELDS, job_name
from kubescribe.domain.run import Run
from tests.support.builders import HERE, LONG_AGO, a_run

from .control_plane import ADMINISTRATOR, ControlPlane
from .namespace import Namespace
from .node.node import Node
from .objects import a_container, a_cron_job, a_job, a_pod_template


class _Fresh(KubernetesLauncher):
    """One that looks anew each time."""

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        await self._view.refresh(0.0)
        return await super().look(run, attempt)


class KubernetesWorld:
    """The pipeline ``flights`` and its Jobs."""

    starts_anew = limited = False

    def __init__(
        self, loop: asyncio.Runner, plane: ControlPlane, namespace: Namespace, node: Node, run_id: UUID
    ) -> None:
        self._loop, self._namespace, self._node, self._run_id = loop, namespace, node, run_id
        fields = {name: {"fieldRef": {"fieldPath": path}} for name, path in POD_FIELDS.items()}
        template = a_pod_template([a_container("sh", "-c", "exec sleep 60", env=fields)], grace=1)
        namespace.create(
            a_cron_job("flights", a_job("flights", template, labels={"kubescribe.io/pipeline": "flights"}))
        )
        self._api = ApiServer(str(plane.kubeconfig(*ADMINISTRATOR[:1], *ADMINISTRATOR[1])))
        view = ClusterView(self._api, lambda: (namespace.name,), "default", SystemClock())
        self.launcher = _Fresh(self._api, view, lambda tenant: namespace.name)

    def attempt(self) -> Attempt:
        """The pod of the run's Job, as its supervisor would say who it is."""
        self._loop.run(self.launcher.launch(a_run(self._run_id)))
        name = self._namespace.running(job_name("flights", self._run_id))
        pod = self._namespace.get("pods", name)["metadata"]
        where = msgspec.structs.replace(HERE, namespace=self._namespace.name, pod=name, node=self._node.name)
        return Attempt(
            id=UUID(pod["uid"]),
            run_id=self._run_id,
            number=1,
            whereabouts=where,
            started_at=LONG_AGO,
            lease_until=LONG_AGO,
        )

    def end(self, attempt: Attempt) -> None:
        self.leave(attempt.run_id)

    def leave(self, run_id: UUID) -> None:
        name = job_name("flights", run_id)
        self._node.pod(self._namespace.name, self._namespace.running(name)).send(signal.SIGKILL)
        self._namespace.finished(name)

    def started(self) -> int:
        return len(self._namespace.listed("jobs"))

    def close(self) -> None:
        self._loop.run(self._api.close())
