"""The look at open slots costs the same however long a pipeline's history is."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

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
    told = row[0] if isinstance(row[0], list) else json.loads(row[0])
    looked = [node for node in nodes(told[0]["Plan"]) if node.get("Relation Name") == "event"]
    assert looked and sum(node.get("Rows Removed by Filter", 0) for node in looked) < 100, looked


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(deeper for one in plan.get("Plans", ()) for deeper in nodes(one))]
