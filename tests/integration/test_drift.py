"""A source whose columns change: the report is what the query says of the table now, or what it was, and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import psycopg
import pytest

from kubescribe.adapters.source.postgres import PostgresSource
from kubescribe.domain.errors import KubescribeError, TablesChanged
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.report import Publication, ReportSpec, Staged
from tests.support.clusters import Cluster
from tests.support.publishing import Attempt, World, run
from tests.support.report_database import ReportServer
from tests.support.report_worlds import postgres_world

pytestmark = pytest.mark.integration

DRIFT = [
    f"ALTER TABLE t {change}"
    for change in (
        "DROP COLUMN {c}",
        "RENAME COLUMN {c} TO other",
        "ALTER COLUMN {c} DROP NOT NULL",
        "ALTER COLUMN {c} SET NOT NULL",
        "ALTER COLUMN {c} TYPE text USING {c}::text",
        "ALTER COLUMN {c} DROP NOT NULL, ALTER COLUMN {c} TYPE text USING NULL",
        "ALTER COLUMN {c} TYPE int USING 7",
        "ALTER COLUMN {c} TYPE bigint USING 7",
        "ALTER COLUMN {c} TYPE numeric(12,4) USING 7.25",
        "ALTER COLUMN {c} TYPE numeric USING 7.25",
        "ALTER COLUMN {c} TYPE float8 USING 'NaN'",
        "ALTER COLUMN {c} TYPE date USING date 'infinity'",
        "ALTER COLUMN {c} TYPE timestamptz USING now()",
        "ALTER COLUMN {c} TYPE jsonb USING '{{}}'",
        "ALTER COLUMN {c} TYPE int[] USING ARRAY[1]",
        "ADD COLUMN {c}2 int DEFAULT 5",
        "RENAME TO {c}_gone",
        "DROP COLUMN {c}, ADD COLUMN {c} text DEFAULT 'new'",
        "DROP COLUMN {c}, ADD COLUMN {c} bigint",
        "ENABLE ROW LEVEL SECURITY",
    )
]
COLUMNS = ("id", "name", "price")
WAYS = ("read", "scan", "copy")
MUTATIONS = [
    (change, column, WAYS[(place + turn) % 3])
    for (place, change), (turn, column) in product(enumerate(DRIFT), enumerate(COLUMNS))
]
"""Sixty, each change in each of the ways."""
QUERY = "SELECT id, name, price FROM t WHERE id::text <> :none ORDER BY 1"
PLAIN = "SELECT id::text, name::text, price::text FROM t ORDER BY 1"
TABLE = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE t (id int NOT NULL, name text NOT NULL, price numeric(9,2) NOT NULL);
INSERT INTO t SELECT g, 'n' || g, g / 4.0 FROM generate_series(10, 60) g
"""
REFUSED = (ExitCode.PAYLOAD, ExitCode.PRECONDITION, ExitCode.TEMPORARY)


class Pipeline:
    """One that publishes what is in ``t``, and a session that changes ``t``."""

    def __init__(self, url: str, world: World, server: ReportServer) -> None:
        self.url, self.world, self._server = url, world, server
        self.owner = psycopg.connect(url, autocommit=True)
        self._reports = 0
        self._name = ""

    def begin(self) -> None:
        """A table as it was, and another report of it."""
        self.owner.execute(TABLE)
        self._reports += 1
        self._name = f"there_{self._reports}"
        self.publish("read")
        assert self.report() == self.table()

    def ledger(self) -> tuple[Publication, ...]:
        return run(self.world.catalogue.ledger(self._name))

    def publish(
        self, way: str, *, before: Callable[[], None] = lambda: None, during: Callable[[], None] = lambda: None
    ) -> None:
        """A run; ``before`` its query, but after its snapshot, and ``during`` it something may happen."""
        source = PostgresSource(self.url, application_name="ks:drift")
        try:
            list(source.read("SELECT 1 AS x", {}, name="first", batch=None))
            before()
            attempt = self.world.attempt()
            attempt.publish(self._stage(attempt, source, way, during))
        finally:
            source.done()

    def _stage(self, attempt: Attempt, source: PostgresSource, way: str, during: Callable[[], None]) -> Staged:
        spec, ids = ReportSpec(name=self._name), {"run_id": attempt.run_id, "attempt_id": attempt.attempt_id}
        staging = attempt.world.staging
        if way == "copy":
            relay = source.relay(QUERY, {"none": ""}, name="t")
            during()
            return staging.relay(spec, relay, **ids)
        rows = source.read(QUERY, {"none": ""}, name="t", batch=7 if way == "scan" else None)
        during()
        return staging.stage(spec, rows, **ids)

    def report(self) -> list[tuple[Any, ...]]:
        with self._server.reader() as reader:
            return reader.execute(PLAIN.replace("FROM t", f"FROM reports.{self._name}").encode()).fetchall()

    def table(self) -> list[tuple[Any, ...]]:
        return self.owner.execute(PLAIN).fetchall()

    def change(self, change: str, column: str) -> None:
        self.owner.execute(change.format(c=column).encode())

    def expect_refused_or_new(self, publish: Callable[[], None]) -> KubescribeError | None:
        """The report is as it was after an error, and what the table holds now without one."""
        before, ledger = self.report(), self.ledger()
        try:
            publish()
        except KubescribeError as error:
            assert error.exit_code in REFUSED
            assert "t" in str(error) and len(str(error)) > 30
            assert (self.report(), self.ledger()) == (before, ledger)
            return error
        assert self.report() == self.table()
        return None


@pytest.fixture(scope="module")
def anew() -> Iterator[Pipeline]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        server = ReportServer(cluster)
        pipeline = Pipeline(cluster.create_database("production"), postgres_world(server), server)
        yield pipeline
        pipeline.owner.close()
        pipeline.world.staging.close()


@pytest.fixture
def pipeline(anew: Pipeline) -> Pipeline:
    anew.begin()
    return anew


@pytest.mark.parametrize(("change", "column", "way"), MUTATIONS)
def test_between_two_runs(pipeline: Pipeline, change: str, column: str, way: str) -> None:
    pipeline.change(change, column)
    error = pipeline.expect_refused_or_new(lambda: pipeline.publish(way))
    try:
        pipeline.table()
    except psycopg.Error as sqls:
        assert error is not None
        assert (sqls.diag.message_primary or "") in str(error)


@pytest.mark.parametrize(("change", "column", "way"), MUTATIONS)
def test_between_the_snapshot_and_the_query(pipeline: Pipeline, change: str, column: str, way: str) -> None:
    rewritten = "TYPE" in change
    error = pipeline.expect_refused_or_new(
        lambda: pipeline.publish(way, before=lambda: pipeline.change(change, column))
    )
    if rewritten and error is not None and "cannot be kept" not in str(error):
        assert isinstance(error, TablesChanged) or error.exit_code == ExitCode.PRECONDITION


@pytest.mark.parametrize(("change", "column", "way"), MUTATIONS)
def test_in_the_middle_of_the_rows(pipeline: Pipeline, change: str, column: str, way: str) -> None:
    """The query's lock keeps the change out until every row was read: the report has all of them as they were."""
    pipeline.owner.execute("UPDATE t SET name = name || '!'")
    expected = pipeline.table()

    changed = False

    def during() -> None:
        nonlocal changed
        with suppress(psycopg.errors.LockNotAvailable), pipeline.owner.transaction():
            pipeline.owner.execute("SET LOCAL lock_timeout = '20ms'")
            pipeline.change(change, column)
            changed = True  # a reader that is ahead has them all

    pipeline.publish(way, during=during)
    assert pipeline.report() == expected
    assert not (changed and way == "read")
    if not changed:
        pipeline.change(change, column)


VIEWS = [
    "DROP TABLE t",
    "ALTER TABLE t RENAME TO id_gone; CREATE VIEW t AS SELECT * FROM id_gone",
    "ALTER TABLE t RENAME TO id_gone; CREATE VIEW t AS SELECT id, upper(name) AS name, price FROM id_gone",
    "ALTER TABLE t RENAME TO id_gone; CREATE VIEW t AS SELECT price, name, id FROM id_gone",
    "ALTER TABLE t RENAME TO id_gone; CREATE VIEW t AS SELECT id, name, price::float8 FROM id_gone",
    "ALTER TABLE t RENAME TO id_gone; CREATE TABLE t AS SELECT price, id, name FROM id_gone",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("statements", VIEWS)
def test_another_relation_of_that_name(pipeline: Pipeline, statements: str, way: str) -> None:
    def change() -> None:
        pipeline.owner.execute(statements.encode())

    pipeline.expect_refused_or_new(lambda: pipeline.publish(way, before=change))
    if statements != VIEWS[0]:
        pipeline.expect_refused_or_new(lambda: pipeline.publish(way))
