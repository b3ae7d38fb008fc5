"""What the database refuses is said before the work begins, with the right that is missing and without a secret."""

from __future__ import annotations

import traceback
from uuid import uuid4

import pytest

from kubescribe.adapters.report.catalogue import PostgresReportCatalogue
from kubescribe.adapters.report.fences import PostgresFences
from kubescribe.adapters.report.publisher import PostgresPublisher
from kubescribe.adapters.report.schema import SEQUENCES, TABLE_RIGHTS, VERSION_TABLE
from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.domain.errors import DatabaseRefused, KubescribeError, SchemaMismatch
from kubescribe.domain.report import ReportSpec
from tests.support.clusters import PASSWORD as ADMIN_PASSWORD
from tests.support.clusters import Cluster
from tests.support.publishing import SMALL, World, run
from tests.support.report_database import PASSWORD, PUBLISHER, ReportServer

pytestmark = pytest.mark.integration

REVOKED = [
    ("REVOKE USAGE ON SCHEMA kubescribe FROM publisher", "USAGE on schema kubescribe"),
    ("REVOKE CREATE ON SCHEMA reports FROM publisher", "CREATE on schema reports"),
    ("REVOKE USAGE ON SCHEMA reports FROM publisher", "USAGE on schema reports"),
    ("DROP SCHEMA reports", "schema reports, which is not there"),
    *(
        (f"REVOKE {right} ON kubescribe.{table} FROM publisher", f"{right} on table kubescribe.{table}")
        for table, rights in TABLE_RIGHTS.items()
        for right in rights
    ),
    *(
        (f"REVOKE USAGE ON SEQUENCE kubescribe.{name} FROM publisher", f"USAGE on sequence kubescribe.{name}")
        for name in SEQUENCES
    ),
]


@pytest.mark.parametrize(("statement", "missing"), REVOKED, ids=[missing for _, missing in REVOKED])
def test_each_missing_right_is_named(world: World, server: ReportServer, statement: str, missing: str) -> None:
    world.staging.prepare()
    with server.admin() as admin:
        admin.execute(statement.encode())
    with pytest.raises(DatabaseRefused) as caught:
        world.staging.prepare()
    assert missing in str(caught.value)
    assert PUBLISHER in caught.value.remedy


def test_a_right_that_went_missing_later_is_a_refusal_too(world: World, server: ReportServer) -> None:
    world.published()
    attempt = world.attempt()
    with server.admin() as admin:
        admin.execute("REVOKE INSERT ON kubescribe.publication FROM publisher")
    staged = attempt.stage()
    with pytest.raises(DatabaseRefused, match="permission denied for table publication"):
        attempt.publish(staged)
    with server.admin() as admin:
        admin.execute("REVOKE CREATE ON SCHEMA reports FROM publisher")
    with pytest.raises(DatabaseRefused, match="permission denied for schema reports"):
        attempt.stage()
    assert len(world.read("airports") or ()) == 3


def test_tables_of_an_older_release(world: World, server: ReportServer) -> None:
    with server.admin() as admin:
        admin.execute(f"UPDATE kubescribe.{VERSION_TABLE} SET version_num = '0000'".encode())
        with pytest.raises(SchemaMismatch, match="schema 0000"):
            world.staging.prepare()
        admin.execute(f"UPDATE kubescribe.{VERSION_TABLE} SET version_num = '9999'".encode())
    world.staging.prepare()  # newer tables still serve


def test_a_database_that_takes_no_writes(world: World, server: ReportServer) -> None:
    world.published()
    attempt = world.attempt()
    staged = attempt.stage()
    with server.admin() as admin:
        admin.execute(f'ALTER DATABASE "{server.name}" SET default_transaction_read_only = on'.encode())
    with pytest.raises(DatabaseRefused, match="at the primary"):
        world.staging.prepare()
    with pytest.raises(DatabaseRefused, match="read-only transaction"):
        attempt.publish(staged)
    with pytest.raises(DatabaseRefused, match="read-only transaction"):
        world.attempt()
    assert len(world.read("airports") or ()) == 3


@pytest.mark.parametrize("what", ["TABLE reports.airports (a int)", "VIEW reports.airports AS SELECT 1 AS a"])
def test_a_strangers_relation_of_that_name_is_left_alone(world: World, server: ReportServer, what: str) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    with server.admin() as admin:
        admin.execute(f"CREATE {what}".encode())
    with pytest.raises(DatabaseRefused, match="publish under another"):
        attempt.stage()
    with pytest.raises(DatabaseRefused, match="publish under another"):
        attempt.publish(staged)
    assert run(world.catalogue.reports()) == ()
    with server.admin() as admin:
        assert admin.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'airports__versions'").fetchone() == (0,)


def test_a_view_that_somebody_dropped_is_made_again(world: World, server: ReportServer) -> None:
    world.published()
    with server.admin() as admin:
        admin.execute("DROP VIEW reports.airports")
    world.published()
    assert len(world.read("airports") or ()) == 3


def test_long_names_stay_apart(world: World) -> None:
    names = ["r" * 62 + end for end in "ab"]
    for number, name in enumerate(names):
        for _ in range(2):
            world.published(SMALL.with_columns(k=number), report=name)
    assert [{row[0] for row in world.read(name) or ()} for name in names] == [{0}, {1}]


@pytest.fixture(scope="module")
def guarded() -> object:
    with Cluster(scram=True) as cluster:
        yield cluster


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "canary-wrong"}, "password authentication failed"),
        ({"database": "nowhere"}, "does not exist"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"port": 1}, "does not answer"),
    ],
)
def test_no_secret_is_in_any_error(guarded: Cluster, change: dict[str, object], words: str) -> None:
    right = {"host": "127.0.0.1", "port": guarded.port, "database": "postgres", "user": "kubescribe"}
    options = {**right, "password": ADMIN_PASSWORD, **change}
    libpq = " ".join(f"{'dbname' if name == 'database' else name}={value}" for name, value in options.items())
    staging = PostgresStaging(libpq)
    errors: list[KubescribeError] = []
    for call in (
        PostgresFences(options).take(uuid4(), uuid4()),
        PostgresPublisher(options).retire("airports", 1),
        PostgresReportCatalogue(options).reports(),
    ):
        with pytest.raises(KubescribeError) as caught:
            run(call)
        errors.append(caught.value)
    with pytest.raises(KubescribeError) as raised:
        staging.prepare()
    errors.append(raised.value)
    with pytest.raises(KubescribeError) as raised:
        staging.stage(ReportSpec(name="a"), [SMALL], run_id=uuid4(), attempt_id=uuid4())
    errors.append(raised.value)
    for error in errors:
        assert isinstance(error, DatabaseRefused) == ("port" not in change)
        text = "".join(traceback.format_exception(error)) + repr(error) + str(error.__dict__)
        assert words in text
        assert str(options["password"]) not in text
        assert PASSWORD not in text


def test_a_connection_string_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(DatabaseRefused, match="cannot be read") as caught:
        PostgresStaging("host=127.0.0.1 password canary-secret").prepare()
    assert "canary" not in str(caught.value)
