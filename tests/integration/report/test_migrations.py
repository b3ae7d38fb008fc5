from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from kubescribe.adapters.report.catalogue import PostgresReportCatalogue
from kubescribe.adapters.report.migrate import _config, migrate, migration_sql
from kubescribe.adapters.report.schema import HEAD, grants_sql, schema_is_current
from kubescribe.domain.errors import DatabaseRefused, DatabaseUnavailable, SchemaMismatch
from kubescribe.domain.mode import Mode
from tests.support.clusters import Cluster
from tests.support.publishing import World, run
from tests.support.report_database import ReportServer, kwargs

FIRST_RELEASE = """
INSERT INTO kubescribe.report (name, columns, key, schema_name) VALUES ('old', '[]', '[]', 'reports');
INSERT INTO kubescribe.staged (version, report, run_id, attempt_id, schema_name, table_name, rows, bytes, checksum,
                               columns, spec, seconds)
SELECT v, 'old', gen_random_uuid(), gen_random_uuid(), 'reports', 'old__v' || v, 3 - v, 0, 'c', '[]',
       '{"name": "old", "mode": "replace"}', 0 FROM generate_series(1, 2) v;
INSERT INTO kubescribe.publication
  (report, run_id, version, kind, attempt_id, fence, rows, checksum, fingerprint, actor)
SELECT report, run_id, version, 'publish', attempt_id, version, rows, checksum, 'f', 'me'
FROM kubescribe.staged ORDER BY version;
INSERT INTO kubescribe.current (report, version) VALUES ('old', 2);
"""
CATALOGUE = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = 'kubescribe' ORDER BY table_name, ordinal_position
"""


def test_head_is_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", "kubescribe.adapters.report:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_supervisors_modules_import_neither_polars_nor_alembic() -> None:
    code = (
        "import sys, kubescribe.adapters.report.fences, kubescribe.adapters.report.publisher, "
        "kubescribe.adapters.report.catalogue\n"
        "print(*sorted({'polars', 'alembic', 'sqlalchemy', 'psycopg'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == ""


@pytest.fixture
def empty(report_cluster: Cluster) -> Iterator[dict[str, Any]]:
    report_cluster.create_database("empty")
    yield kwargs(report_cluster, "empty")
    report_cluster.drop_database("empty")


async def _is_current(options: dict[str, Any]) -> bool:
    connection = await asyncpg.connect(**options)
    try:
        return await schema_is_current(connection)
    finally:
        await connection.close()


@pytest.mark.integration
def test_five_at_once_migrate_once(empty: dict[str, Any]) -> None:
    async def five() -> list[str | None]:
        return await asyncio.gather(*(migrate(empty) for _ in range(5)))

    assert not run(_is_current(empty))
    done = run(five())
    assert sorted(done, key=str) == [HEAD, None, None, None, None]
    assert run(_is_current(empty))
    assert run(migrate(empty)) is None


@pytest.mark.integration
def test_the_sql_for_psql_makes_the_same(empty: dict[str, Any], server: ReportServer, report_cluster: Cluster) -> None:
    with psycopg.connect(report_cluster.url("empty"), autocommit=True) as connection:
        connection.execute(migration_sql().encode())
        made = connection.execute(CATALOGUE).fetchall()
        assert connection.execute("SELECT to_regnamespace('reports')").fetchone() != (None,)
    with server.admin() as admin:
        assert made == admin.execute(CATALOGUE).fetchall()
    assert run(_is_current(empty))
    assert run(migrate(empty)) is None


def _make_first_release(database: str, cluster: Cluster) -> None:
    """The tables of revision 0001, with a report that was published twice."""
    written = io.StringIO()
    config = _config("reports", None)
    config.output_buffer = written
    command.upgrade(config, "0001", sql=True)
    with psycopg.connect(cluster.url(database), autocommit=True) as connection:
        connection.execute(written.getvalue().encode())
        connection.execute(FIRST_RELEASE)


@pytest.mark.integration
def test_what_an_earlier_release_published_goes_on(empty: dict[str, Any], report_cluster: Cluster) -> None:
    _make_first_release("empty", report_cluster)
    assert run(migrate(empty)) == HEAD
    catalogue = PostgresReportCatalogue(empty)
    (report,) = run(catalogue.reports())
    assert (report.mode, report.versions, report.current.shown) == (Mode.REPLACE, (2, 1), 1)
    assert (report.current.generation, report.current.total, report.current.inserted) == (1, None, None)
    back = run(catalogue.roll_back("old", to=None, rollback_id=report.current.run_id, actor="me", reason=None))
    assert back.version == 2  # the run's own row: an id is used once
    assert run(catalogue.roll_back("old", to=1, rollback_id=uuid4(), actor="me", reason=None)).shown == 2


@pytest.mark.integration
def test_the_release_before_writes_into_the_new_tables(empty: dict[str, Any], report_cluster: Cluster) -> None:
    assert run(migrate(empty)) == HEAD
    with psycopg.connect(report_cluster.url("empty"), autocommit=True) as connection:
        connection.execute(FIRST_RELEASE)  # the statements of release 0001 name the columns that it knows
    (report,) = run(PostgresReportCatalogue(empty).reports())
    assert (report.mode, report.current.mode, report.versions) == (Mode.REPLACE, Mode.REPLACE, (2, 1))


@pytest.mark.integration
def test_a_reader_that_holds_the_pointer_is_not_waited_for_long(empty: dict[str, Any], report_cluster: Cluster) -> None:
    _make_first_release("empty", report_cluster)
    with psycopg.connect(report_cluster.url("empty")) as reader:
        reader.execute("SELECT * FROM kubescribe.current")
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            run(migrate(empty))
    assert run(migrate(empty)) == HEAD


@pytest.mark.integration
def test_another_schema_for_the_reports(empty: dict[str, Any], report_cluster: Cluster) -> None:
    assert run(migrate(empty, 'odd "name')) == HEAD
    with psycopg.connect(report_cluster.url("empty"), autocommit=True) as connection:
        assert connection.execute("SELECT to_regnamespace(quote_ident('odd \"name'))").fetchone() != (None,)
        connection.execute(grants_sql("publisher", "reader", 'odd "name').encode())


@pytest.mark.integration
def test_a_role_that_may_not_migrate_is_told(empty: dict[str, Any]) -> None:
    with pytest.raises(DatabaseRefused, match="permission denied"):
        run(migrate({**empty, "user": "publisher"}))
    with pytest.raises(DatabaseRefused, match="nowhere"):
        run(migrate({**empty, "database": "nowhere"}))
    with pytest.raises(DatabaseUnavailable):
        run(migrate({**empty, "port": 1}))


@pytest.mark.integration
def test_without_the_tables_every_port_says_kubescribe_migrate(empty: dict[str, Any], report_cluster: Cluster) -> None:
    from kubescribe.adapters.report.fences import PostgresFences
    from kubescribe.adapters.report.staging import PostgresStaging

    for call in (PostgresFences(empty).raise_(uuid4(), uuid4()), PostgresReportCatalogue(empty).reports()):
        with pytest.raises(SchemaMismatch, match="run `kubescribe migrate`"):
            run(call)
    with pytest.raises(SchemaMismatch, match="run `kubescribe migrate`"):
        PostgresStaging(report_cluster.url("empty")).prepare()


@pytest.mark.integration
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kubescribe.publication SET rows = 0",
        "DELETE FROM kubescribe.publication",
        "TRUNCATE kubescribe.publication CASCADE",
    ],
)
def test_the_ledger_cannot_be_changed_even_by_its_owner(world: World, server: ReportServer, statement: str) -> None:
    world.published()
    with server.admin() as admin, pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
        admin.execute(statement.encode())
    assert len(run(world.catalogue.ledger("airports"))) == 1
