"""`kubescribe api` on a cluster: one process accepts, launches, watches, and gives the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run_status import RunStatus
from tests.support.api_process import ApiProcess
from tests.support.command_line import CommandLine
from tests.support.kube.node.node import Node
from tests.support.kube.world import ClusterWorld
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for


def test_it_launches_watches_and_cancels_by_itself(
    world: ClusterWorld, node: Node, databases: ThreeDatabases, tmp_path: Path
) -> None:
    names = ("PIPELINES", "LAUNCHER", "NAMESPACE", "HEARTBEAT", "LEASE")
    settings = {f"KUBESCRIBE_{name}": world.environ[f"KUBESCRIBE_{name}"] for name in names}
    commands = CommandLine(tmp_path, databases, KUBECONFIG=world.environ["KUBECONFIG"], **settings)
    world.apply("totals")
    world.apply("sleeper")
    with ApiProcess(commands) as api:

        def trigger(pipeline: str) -> UUID:
            status, _, body = api.ask("POST", "/runs/trigger", {"pipeline": pipeline})
            assert status == 202, body
            return UUID(msgspec.json.decode(body)["id"])

        def becomes(run_id: UUID, status: RunStatus) -> Any:
            what = f"run {run_id} to be {status}"
            return wait_for(lambda: world.run(run_id).status is status, what, timeout=60, every=0.2)

        published, killed, cancelled = trigger("totals"), trigger("sleeper"), trigger("sleeper")
        becomes(published, RunStatus.SUCCEEDED)
        node.pod(world.namespace.name, world.running(killed)).run_out_of_memory()
        becomes(killed, RunStatus.FAILED)
        assert world.run(killed).cause is FailureCause.OOM_KILLED
        world.running(cancelled)
        status, _, body = api.ask("POST", f"/runs/{cancelled}/cancel", {})
        assert status in (200, 202), body
        becomes(cancelled, RunStatus.CANCELLED)
        by_hand = world.namespace.create(world.made_by_hand("totals", "by-hand"))
        becomes_known = UUID(by_hand["metadata"]["uid"])
        wait_for(lambda: world.knows(becomes_known), "a Job made by hand to be a run", timeout=30, every=0.2)
        becomes(becomes_known, RunStatus.SUCCEEDED)
