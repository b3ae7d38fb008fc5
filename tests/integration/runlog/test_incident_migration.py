"""Who fails when incidents come is an open incident; and a supervisor of the release before goes on."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator

import psycopg
import pytest

from kubescribe.adapters.postgres.migrate import _config, migrate
from tests.support.addresses import asyncpg_address
from tests.support.builders import a_claim, failed, succeeded
from tests.support.clusters import Cluster
from tests.support.runlogs import PostgresWorld

pytestmark = pytest.mark.integration

_RUN = """
INSERT INTO run (id, tenant, pipeline, status, trigger, actor, parameters, may_publish, created_at, started_at,
                 finished_at, attempts, cause)
SELECT gen_random_uuid(), '{0}', '{1}', 'failed', 'manual', 'user:ann', '{{}}', true, now() - interval '1 hour' * age,
       now() - interval '1 hour' * age, now() - interval '1 hour' * age, 1, 'oom_killed'
FROM generate_series(1, 3) AS age
"""


@pytest.fixture
def before(cluster: Cluster) -> Iterator[str]:
    """A RunLog of the release before."""
    from alembic import command

    url = cluster.create_database("before_incidents")
    config = _config()
    config.output_buffer = io.StringIO()
    command.upgrade(config, "0007", sql=True)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(config.output_buffer.getvalue().encode())
    yield url
    cluster.drop_database("before_incidents")


def test_who_fails_is_an_open_incident_that_was_told(before: str, loop: asyncio.Runner) -> None:
    with psycopg.connect(before, autocommit=True) as connection:
        for tenant, pipeline in (("default", "flights"), ("default", "boats"), ("other", "flights")):
            connection.execute(_RUN.format(tenant, pipeline).encode())
            connection.execute(
                "INSERT INTO pipeline_failing VALUES (%s, %s, now() - interval '3 hours', 3)", [tenant, pipeline]
            )
        newest = connection.execute(
            "SELECT id FROM run WHERE tenant = 'default' AND pipeline = 'flights' ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    loop.run(migrate(asyncpg_address(before)))
    world = PostgresWorld(loop, before)
    kept = world.ask("SELECT tenant, id, pipeline, status, count, announced, why FROM incident ORDER BY 1, 2")
    assert kept == [
        ("default", 1, "flights", "open", 3, True, "oom_killed"),
        ("default", 2, "boats", "open", 3, True, "oom_killed"),
        ("other", 1, "flights", "open", 3, True, "oom_killed"),
    ]
    assert world.ask("SELECT run_id FROM incident WHERE tenant = 'default' AND id = 1") == [newest]
    assert world.run(world.figures.figures("default")).failing == 2
    for outcome in (failed(), succeeded()):
        claim = a_claim(world.ids.new(), world.ids.new())
        world.run(world.attempt_log.claim(claim))
        world.run(world.attempt_log.finish(claim.attempt_id, outcome))
    assert [(one.kind, one.incident_id) for one in world.outbox()] == [("incident.grew", 1), ("incident.recovered", 1)]
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline="trains")
    world.run(world.attempt_log.claim(claim))
    world.run(world.attempt_log.finish(claim.attempt_id, failed()))
    assert world.ask("SELECT id FROM incident WHERE pipeline = 'trains'") == [(3,)]
    world.close()


def test_the_notice_of_an_older_supervisor_is_the_incidents(loop: asyncio.Runner, runlog_url: str) -> None:
    world = PostgresWorld(loop, runlog_url)
    claim = a_claim(world.ids.new(), world.ids.new())
    world.run(world.attempt_log.claim(claim))
    world.run(world.attempt_log.finish(claim.attempt_id, failed()))
    world.execute(f"INSERT INTO outbox (run_id, kind, pipeline) VALUES ('{claim.run_id}', 'run.failed', 'flights')")
    assert [notice.kind for notice in world.outbox()] == ["incident.opened"]
    world.close()
