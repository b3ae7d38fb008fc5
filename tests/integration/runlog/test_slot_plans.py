"""Looks at slots cost the same however long a pipeline's history is, and however long nobody looked."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from kubescribe.adapters.postgres.promises import DONE
from kubescribe.adapters.postgres.slot_statements import OPEN
from tests.support.clusters import Cluster

pytestmark = pytest.mark.integration

FILL = """
INSERT INTO event (at, subject, kind, actor, tenant, data)
SELECT clock_timestamp() - n * interval '1 minute', 'pipeline:flights', 'slot.ran', 'reconciler', 'default', '{}'
FROM generate_series(1, 20000) AS n;
INSERT INTO slot (id, tenant, pipeline, logical, at, window_ends)
SELECT gen_random_uuid(), 'default', 'flights', n::text, clock_timestamp() - n * interval '1 minute', clock_timestamp()
FROM generate_series(1, 100) AS n
"""


@pytest.mark.parametrize("statistics", [True, False])
def test_the_verdicts_of_a_pipeline_are_not_read_to_find_its_pauses(
    cluster: Cluster, runlog_template: str, statistics: bool
) -> None:
    url = cluster.create_database("slot_plans", template=runlog_template)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE event SET (autovacuum_enabled = off)")
            for statement in FILL.split(";"):
                connection.execute(statement.encode())
            if statistics:
                connection.execute("ANALYZE")
            query = f"EXPLAIN (ANALYZE, FORMAT JSON) {OPEN.replace('$1', '1000')}"
            row = connection.execute(query.encode()).fetchone()
    finally:
        cluster.drop_database("slot_plans")
    assert row is not None
    looked = [node for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name") == "event"]
    assert looked and sum(node.get("Rows Removed by Filter", 0) for node in looked) < 100, looked


RUNS = """
INSERT INTO run (id, tenant, pipeline, status, trigger, actor, parameters, may_publish, created_at, started_at,
                 finished_at, attempts, slot)
SELECT gen_random_uuid(), 'default', 'flights', 'succeeded', 'schedule', 'schedule', '{}', true, at, at, at, 1, at
FROM generate_series(timestamptz '2026-01-01', timestamptz '2026-01-01' + interval '1999 minutes', '1 minute') AS at
"""


def test_slots_of_an_absence_do_not_each_read_all_later_runs(cluster: Cluster, runlog_template: str) -> None:
    url = cluster.create_database("slots_done", template=runlog_template)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(RUNS.encode())
            query = DONE.replace("$1", "'default'").replace("$2::text[]", "ARRAY(SELECT pipeline FROM run)")
            query = query.replace("$3::timestamptz[]", "ARRAY(SELECT slot FROM run ORDER BY slot)")
            row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchone()
    finally:
        cluster.drop_database("slots_done")
    assert row is not None
    looked = [node for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name") == "run"]
    read = sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in looked)
    assert 2000 <= read < 20_000, looked


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(deeper for one in plan.get("Plans", ()) for deeper in nodes(one))]
