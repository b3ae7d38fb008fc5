"""Four reconcilers over one cluster: one is stopped amid a verdict, and goes on when others have given it (K20)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node
from tests.support.kube.world import ClusterWorld
from tests.support.reconciler import Reconciler
from tests.support.waiting import wait_for

RUNS = 4


@pytest.fixture
def reconcilers(world: ClusterWorld) -> Iterator[list[Reconciler]]:
    """Three, and before them one that stops itself when it has looked at a run that is over."""
    environ = dict(os.environ) | world.environ
    with ExitStack() as ending:
        yield [
            ending.enter_context(closing(Reconciler(environ | {"KUBESCRIBE_FAILPOINT": failpoint})))
            for failpoint in (f"reconcile.looked@{RUNS + 1}=stop", "", "", "")
        ]


def written(world: ClusterWorld, run_id: UUID) -> tuple[int, int]:
    """How often the run's end was written down, and how often somebody is to be told of it."""
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        counts = [
            connection.execute(query, [run_id]).fetchone()
            for query in (
                "SELECT count(*) FROM event WHERE run_id = %s AND kind = 'run.failed'",
                "SELECT count(*) FROM outbox WHERE run_id = %s",
            )
        ]
    ends, notices = (0 if row is None else int(row[0]) for row in counts)
    return ends, notices


def is_stopped(reconciler: Reconciler) -> bool:
    stat = Path(f"/proc/{reconciler._process.pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] == "T"


def test_k20_a_run_has_one_end_and_one_notice_however_many_look_at_it(
    world: ClusterWorld, node: Node, reconcilers: list[Reconciler]
) -> None:
    world.apply("sleeper")
    runs = [world.trigger("sleeper") for _ in range(RUNS)]
    pods = [world.running(run.id) for run in runs]
    first, *others = reconcilers
    assert first().exit_code == 0  # all of them are at work
    for name in pods:
        node.pod(world.namespace.name, name).run_out_of_memory()
    for run in runs:
        world.namespace.finished(world.job(run.id)["metadata"]["name"])
    with ThreadPoolExecutor(4) as several:
        stopped = several.submit(first)
        wait_for(lambda: is_stopped(first), "the first to stop amid a verdict", timeout=30)
        assert {world.run(run.id).status for run in runs} == {RunStatus.RUNNING}
        for _ in range(3):
            assert {done.exit_code for done in several.map(Reconciler.__call__, others)} == {0}
        before = [world.run(run.id) for run in runs]
        os.kill(first._process.pid, signal.SIGCONT)
        assert stopped.result(60).exit_code == 0
        assert {done.exit_code for done in several.map(Reconciler.__call__, reconcilers)} == {0}
    for run, then in zip(runs, before, strict=True):
        assert (then.status, then.cause) == (RunStatus.FAILED, FailureCause.OOM_KILLED), then.message
        assert world.run(run.id) == then
        assert written(world, run.id) == (1, 1)
