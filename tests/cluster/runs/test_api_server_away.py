"""The API server is away, and back: runs go on, nobody is called lost, and the verdicts are those of the end (A8)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.node.node import Node
from tests.support.kube.records import published
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for

MANY = 8


def test_a8_nobody_is_judged_while_the_api_server_is_away(
    world: ClusterWorld, node: Node, control_plane: ControlPlane, tmp_path: Path
) -> None:
    world.apply("gated")
    runs = [world.trigger("gated", folder=str(tmp_path)) for _ in range(MANY)]
    for run in runs:
        world.running(run.id)
    publishing, dying, working = runs[0], runs[1], runs[2:]
    pod = node.pod(world.namespace.name, world.attempts(dying.id)[0].whereabouts.pod or "")
    attempt = world.attempts(publishing.id)[0]
    control_plane.apiserver.stop()
    try:
        (tmp_path / str(attempt.id)).touch()
        wait_for(lambda: world.run(publishing.id).status is RunStatus.SUCCEEDED, "a run to publish", timeout=60)
        pod.run_out_of_memory()
        wait_for(lambda: pod.exit_code is not None, "a run to die", timeout=30)
        seen = wait_for(lambda: world.reconcile().reconciled.problems, "a pass without a cluster", timeout=30)
        assert any("cluster" in problem for problem in seen), seen
        late = wait_for(lambda: _passed(world, dying.id), "its lease to be over", timeout=60, every=0.5)
        assert late in (RunStatus.UNCERTAIN, RunStatus.RUNNING)
        assert {world.run(run.id).status for run in working} == {RunStatus.RUNNING}
        accepted = world.trigger("gated", folder=str(tmp_path))
        assert world.run(accepted.id).status is RunStatus.PENDING, "it is not lost"
    finally:
        control_plane.start()
    died = world.ended(dying.id, timeout=90)
    assert (died.status, died.cause, died.evidence) == (
        RunStatus.FAILED,
        FailureCause.OOM_KILLED,
        Evidence.PROCESS_GONE,
    ), died.message
    for run in (*working, accepted):
        world.running(run.id)
        (tmp_path / str(world.attempts(run.id)[0].id)).touch()
    for run in (*working, accepted):
        done = world.ended(run.id, timeout=90)
        assert done.status is RunStatus.SUCCEEDED, done.message
        assert published(world, run.id) == [world.attempts(run.id)[0].id]


def _passed(world: ClusterWorld, run_id: UUID) -> RunStatus | None:
    """The status of a run whose lease has been over for a pass or two."""
    world.reconcile()
    run = world.run(run_id)
    assert not run.status.terminal, run
    return run.status if run.status is RunStatus.UNCERTAIN else None


@pytest.mark.parametrize("said", ["Succeeded", "OOMKilled"])
def test_k5_exit_code_0_with_the_reason_oom_killed_is_what_the_ledger_says(
    said: str, world: ClusterWorld, node: Node, tmp_path: Path
) -> None:
    """Something in the pod was killed for its memory, and the supervisor ended well all the same."""
    world.apply("gated")
    run = world.trigger("gated", folder=str(tmp_path))
    pod = node.pod(world.namespace.name, world.running(run.id))
    if said == "OOMKilled":
        pod.say_out_of_memory()
    (tmp_path / str(world.attempts(run.id)[0].id)).touch()
    wait_for(lambda: pod.exit_code == 0, "its end", timeout=60)
    done = world.ended(run.id)
    world.later()
    world.reconcile()
    assert (done.status, world.run(run.id)) == (RunStatus.SUCCEEDED, done)
    assert len(published(world, run.id)) == 1


def silent(manifest: Json) -> None:
    """Not our supervisor, though it looks like it: it ends with 0, and says nothing."""
    container = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["command"], container["args"] = ["sh", "-c", "sleep 3; exit 0"], []


def test_k5_without_a_marker_it_has_failed_for_its_memory(world: ClusterWorld, node: Node) -> None:
    world.apply("gated", silent)
    run = world.trigger("gated", folder="/nowhere")
    node.pod(world.namespace.name, world.until_pod(run.id)).say_out_of_memory()
    done = world.ended(run.id)
    assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.OOM_KILLED), done.message
