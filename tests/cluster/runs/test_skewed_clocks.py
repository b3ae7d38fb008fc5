"""Pods whose clock is an hour wrong, or jumps by two: leases, times and durations are those of RunLog (K23)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from kubescribe.domain.run import Evidence
from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.records import published
from tests.support.kube.skew import skewed
from tests.support.kube.world import ClusterWorld, variables
from tests.support.three_databases import ThreeDatabases

HOUR = 3600
CLOCKS = {"ahead": (HOUR, None), "behind": (-HOUR, None), "jumps": (HOUR, 3)}
A_LITTLE = 60.0
"""Seconds: whatever is wrong by an hour is wrong by more."""


def checked(world: ClusterWorld, run_id: UUID) -> None:
    """Its times are RunLog's, in order, and its duration is what has passed."""
    query = (
        "SELECT extract(epoch FROM now() - r.created_at), extract(epoch FROM a.started_at - r.created_at), "
        "extract(epoch FROM r.finished_at - a.started_at), r.duration FROM run r JOIN attempt a ON a.run_id = r.id "
        "WHERE r.id = %s"
    )
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        row = connection.execute(query, [run_id]).fetchone()
    assert row is not None
    ago, waited, worked, duration = map(float, row)
    assert 0 <= waited <= A_LITTLE and 0 <= worked <= A_LITTLE and 0 <= duration <= A_LITTLE, row
    assert 0 <= ago <= 3 * A_LITTLE, row


@pytest.mark.parametrize("clock", CLOCKS)
def test_k23_a_run_in_a_pod_whose_clock_is_wrong_keeps_its_lease_and_has_true_times(
    clock: str,
    world: ClusterWorld,
    nodes: Callable[..., Node],
    databases: ThreeDatabases,
    tmp_path: Path,
) -> None:
    wrong = skewed(tmp_path, *CLOCKS[clock])
    told = [sys.executable, "-c", "import time, datetime; print(time.time(), datetime.datetime.now().timestamp())"]
    said = subprocess.run(told, env=dict(wrong), capture_output=True, check=True, text=True).stdout.split()
    assert all(abs(abs(float(one) - time.time()) - HOUR) < A_LITTLE for one in said), "else nothing is tried here"
    node = nodes(image=Image(variables={**variables(databases), **wrong}))
    world.apply("gated")
    slots = world.namespace.create(fired(world.apply("totals"), SLOT))
    run = world.trigger("gated", folder=str(tmp_path))
    pids = node.pod(world.namespace.name, world.running(run.id)).pids()
    assert all(wrong["LD_PRELOAD"] in Path(f"/proc/{pid}/maps").read_text() for pid in pids)
    beats = {_lease(world, run.id)}
    while len(beats) < 7:  # six heartbeats, which is longer than its lease; nobody takes it for lost meanwhile
        world.reconcile()
        assert world.run(run.id).status is RunStatus.RUNNING
        beats.add(_lease(world, run.id))
    (tmp_path / str(world.attempts(run.id)[0].id)).touch()
    done = world.ended(run.id)
    assert (done.status, len(world.attempts(run.id))) == (RunStatus.SUCCEEDED, 1), done.message
    assert published(world, run.id) == [world.attempts(run.id)[0].id]
    checked(world, run.id)
    slot = world.ended_after_adoption(uid(slots))
    assert (slot.status, slot.slot) == (RunStatus.SUCCEEDED, SLOT), slot.message
    checked(world, slot.id)


def test_k23_what_waited_for_runlog_in_a_pod_whose_clock_jumps_has_true_times(
    world: ClusterWorld, nodes: Callable[..., Node], databases: ThreeDatabases, tmp_path: Path
) -> None:
    """Its termination message is all that there is."""
    away = {"RUNLOG_DB_URL": "postgresql://nobody@127.0.0.1:1/runlog", "KUBESCRIBE_CONNECT_TIMEOUT": "1s"}
    nodes(image=Image(variables={**variables(databases), **skewed(tmp_path, HOUR, 3), **away}))
    job = world.namespace.create(fired(world.apply("quick"), SLOT))
    world.namespace.finished(job["metadata"]["name"], timeout=60)
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.evidence) == (RunStatus.SUCCEEDED, Evidence.TERMINATION_MESSAGE), done.message
    checked(world, done.id)


def _lease(world: ClusterWorld, run_id: UUID) -> float:
    """How far into the future it reaches beyond the last beat, which is by RunLog's clock; each beat moves it."""
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM lease_until), extract(epoch FROM lease_until - now()) FROM attempt "
            "WHERE run_id = %s",
            [run_id],
        ).fetchone()
    assert row is not None
    assert -A_LITTLE < float(row[1]) < A_LITTLE, row
    return float(row[0])
