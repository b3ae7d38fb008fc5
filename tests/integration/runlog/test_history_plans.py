"""Looks at the history stay cheap: an index for each, and nothing sorted but what an index has found few of.

On 200,000 runs, by what the planner does with them; no seconds are asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql.base import PGDialect

from kubescribe.adapters.postgres.run_log import page_query
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.run import Trigger
from kubescribe.domain.run_status import OPEN, RunStatus
from tests.support.clusters import Cluster

pytestmark = pytest.mark.integration

ROWS = 200_000
FEW = ROWS // 50
"""More than this nobody may sort."""

FILL = f"""
INSERT INTO run (id, tenant, pipeline, status, trigger, actor, parameters, may_publish, created_at, started_at,
                 finished_at, attempts, retry_of)
SELECT ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       CASE WHEN n % 10 = 0 THEN 'other' ELSE 'default' END,
       'p' || n % 50,
       CASE WHEN n % 1000 = 1 THEN 'running' WHEN n % 13 = 0 THEN 'failed' WHEN n % 101 = 0 THEN 'lost'
            ELSE 'succeeded' END,
       (ARRAY['schedule', 'schedule', 'schedule', 'manual', 'api', 'retry'])[1 + n % 6],
       'user:u' || n % 30,
       jsonb_build_object('day', n % 1000, 'region', (ARRAY['eu', 'us', 'ap', 'af'])[1 + n % 4]),
       true, timestamptz '2026-11-01' - n * interval '1 minute', NULL,
       CASE WHEN n % 1000 = 1 THEN NULL ELSE timestamptz '2026-11-01' - n * interval '1 minute' END, 0,
       CASE WHEN n % 97 = 0 THEN ('01930000-0000-7000-8000-' || lpad(to_hex(n + 1), 12, '0'))::uuid END
FROM generate_series(1, {ROWS}) AS n
"""

FILTERS: dict[str, dict[str, Any]] = {
    "pipeline": {"pipeline": "p3"},
    "status": {"statuses": (RunStatus.FAILED,)},
    "statuses": {"statuses": (RunStatus.FAILED, RunStatus.LOST, RunStatus.SUCCEEDED)},
    "open": {"statuses": OPEN},
    "trigger": {"trigger": Trigger.API},
    "actor": {"actor": "user:u7"},
    "from": {"created_from": datetime(2026, 9, 1, tzinfo=UTC)},
    "until": {"created_until": datetime(2026, 8, 1, tzinfo=UTC)},
    "rare parameters": {"parameters": {"day": 7}},
    "frequent parameters": {"parameters": {"region": "eu"}},
    "retries": {"retry_of": UUID("01930000-0000-7000-8000-000000000062")},
}
EXCLUDING = ({"status", "statuses", "open"}, {"rare parameters", "frequent parameters"})
COMBINATIONS = [
    names
    for size in range(len(FILTERS) + 1)
    for names in combinations(FILTERS, size)
    if all(len(group & set(names)) <= 1 for group in EXCLUDING)
]
GUESSED = {"from", "until", "frequent parameters"}
"""How many fit these, nobody can know without statistics (after a restore, until somebody analyses): where a look is
for nothing else, the planner may take them for few, and sort them."""
KEY = (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(seconds=1), UUID(int=2**127))


@pytest.fixture(scope="module", params=[True, False], ids=["with statistics", "without"])
def statistics(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def connection(cluster: Cluster, runlog_template: str, statistics: bool) -> Iterator[psycopg.Connection]:
    url = cluster.create_database("history", template=runlog_template)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE run SET (autovacuum_enabled = off)")
        connection.execute(FILL.encode())
        if statistics:
            connection.execute("ANALYZE run")
        yield connection
    cluster.drop_database("history")


def plan_of(connection: psycopg.Connection, which: RunFilter, before: tuple[datetime, UUID] | None) -> dict[str, Any]:
    dialect: Any = PGDialect  # untyped in SQLAlchemy
    query = page_query(which, 50, before).compile(dialect=dialect(paramstyle="pyformat"))
    text = str(query)
    assert "OFFSET" not in text and "count(" not in text
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in query.params.items()}
    cursor = psycopg.ClientCursor(connection)  # puts the values into the text: the planner sees them
    row = cursor.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + text.encode(), values).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def faults(plan: dict[str, Any]) -> list[str]:
    found = []
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan":
            found.append(f"it reads all of {node['Relation Name']}")
        if "Sort" in node["Node Type"]:
            rows = sum(below["Actual Rows"] * below["Actual Loops"] for below in node["Plans"])
            if rows > FEW:
                found.append(f"it sorts {rows} rows")
    return found


def test_there_are_many_combinations() -> None:
    assert len(COMBINATIONS) > 700 and () in COMBINATIONS


def test_every_combination_of_filters_comes_from_an_index_and_sorts_little(
    connection: psycopg.Connection, statistics: bool
) -> None:
    bad = {}
    for number, names in enumerate(COMBINATIONS):
        which = RunFilter()
        for name in names:
            which = msgspec.structs.replace(which, **FILTERS[name])
        found = faults(plan_of(connection, which, KEY if number % 2 else None))
        if not statistics and GUESSED.issuperset(names):
            found = [fault for fault in found if "sorts" not in fault]
        if found:
            bad[names] = found
    assert bad == {}


def test_a_table_that_is_read_or_sorted_whole_would_be_seen(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("DROP INDEX run_newest, run_newest_of_actor, run_newest_of_trigger, run_newest_of_status")
        connection.execute("DROP INDEX run_newest_of_both, run_newest_of_pipeline")
        assert faults(plan_of(connection, RunFilter(), None))


@pytest.mark.parametrize("name", ["status", "statuses", "pipeline", "actor", "trigger"])
def test_the_newest_of_each_are_found_without_a_look_at_the_rest(connection: psycopg.Connection, name: str) -> None:
    plan = plan_of(connection, msgspec.structs.replace(RunFilter(), **FILTERS[name]), None)
    looked_at = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
        if "Scan" in node["Node Type"] and "Relation Name" in node
    )
    assert looked_at <= 51 * 3, plan


def test_the_latest_failed_of_a_pipeline_are_found_at_once(connection: psycopg.Connection) -> None:
    which = RunFilter(pipeline="p13", statuses=(RunStatus.FAILED,))
    scans = [node for node in nodes(plan_of(connection, which, None)) if "Relation Name" in node]
    assert [node["Index Name"] for node in scans] == ["run_newest_of_both"]
    assert sum(node.get("Rows Removed by Filter", 0) for node in scans) == 0
