"""One slot that is fired by many, and by none of them twice (K1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from kubescribe.domain.run_status import RunStatus
from tests.cluster.runs.test_scheduled import SLOT, uid
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.node.node import Node
from tests.support.kube.objects import fired
from tests.support.kube.resources import ApiError
from tests.support.kube.world import ClusterWorld

TRIES = 200


def test_k1_two_hundred_creations_of_one_slot_are_one_job_and_one_run(
    world: ClusterWorld, node: Node, control_plane: ControlPlane
) -> None:
    cron_job = world.apply("totals")

    def create(number: int) -> int:
        try:
            world.namespace.create(fired(cron_job, SLOT))
        except ApiError as error:
            return error.status
        return 201

    with ThreadPoolExecutor(8) as several:
        answers = sorted(several.map(create, range(TRIES)))
        control_plane.controller_manager.stop()  # between the Job and what its controller knows of it
        control_plane.start()
    assert answers == [201] + [409] * (TRIES - 1)
    (job,) = world.namespace.listed("jobs")
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.slot) == (RunStatus.SUCCEEDED, SLOT)
    with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)
    assert world.reports("totals") == 1
