"""Browsing in PostgreSQL: what the role may do, what the server is told, and what others do meanwhile."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import polars as pl
import psycopg
import pytest

from kubescribe.adapters.report import row_query
from kubescribe.adapters.report.reader import PostgresReportReader
from kubescribe.adapters.report.schema import BROWSED, BROWSER, browser_grants
from kubescribe.application.row_cursor import Position, cursor_after
from kubescribe.application.row_plan import Plan, plan
from kubescribe.domain.errors import (
    BadCursor,
    BadRowQuery,
    DatabaseRefused,
    SchemaMismatch,
    TookTooLong,
    VersionGone,
)
from kubescribe.domain.mode import Mode
from kubescribe.domain.report import Column
from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort
from kubescribe.domain.report_value import text_of
from kubescribe.domain.row_format import RowFormat
from kubescribe.entrypoints.composition.browsing import row_encoder
from tests.support.clusters import Cluster
from tests.support.payloads import injections
from tests.support.publishing import World, run, small
from tests.support.report_database import PASSWORD, PUBLISHER, ReportServer, kwargs

pytestmark = pytest.mark.integration

CORPUS = 20_000
ASKED = RowQuery(report="airports")
_MAY = """
SELECT n.nspname || '.' || c.relname, p.privilege FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
       unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (privilege)
WHERE n.nspname IN ('kubescribe', 'reports', 'public') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_table_privilege(%(role)s, c.oid, p.privilege)
"""
_MAY_ELSE = """
SELECT 'schema ' || nspname FROM pg_namespace
WHERE nspname IN ('kubescribe', 'reports', 'public') AND has_schema_privilege(%(role)s, oid, 'CREATE')
UNION ALL SELECT 'database' WHERE has_database_privilege(%(role)s, current_database(), 'CREATE')
UNION ALL SELECT 'sequence ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'kubescribe'
            AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(%(role)s, c.oid, 'USAGE, UPDATE') END
UNION ALL SELECT 'role ' || r.rolname FROM pg_roles r
          WHERE r.rolname <> %(role)s AND pg_has_role(%(role)s, r.oid, 'MEMBER')
UNION ALL SELECT 'attribute' FROM pg_roles
          WHERE rolname = %(role)s
            AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication OR rolcanlogin)
"""


@pytest.fixture
def login(server: ReportServer) -> Iterator[dict[str, Any]]:
    """A login of its own for looking at reports, as REPORT_READER_DB_URL has it."""
    with server.admin() as admin:
        admin.execute("DROP ROLE IF EXISTS looker")
        admin.execute(f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}' IN ROLE {BROWSER}".encode())
    yield server.kwargs("looker")
    with server.admin() as admin:
        admin.execute("DROP ROLE looker")


# -- S-12: rights ------------------------------------------------------------------------------------------------------


def test_the_role_reads_what_was_published_and_our_tables_about_it_and_can_do_nothing_else(
    world: World, server: ReportServer
) -> None:
    versions = [world.published(small(1)).version, world.published(small(2)).version]
    world.published(small(1), report="merged", mode=Mode.MERGE, key=("k",))
    with server.admin() as admin:
        admin.execute("CREATE TABLE public.secret (a int); CREATE TABLE reports.strangers (a int)")
        may = set(admin.execute(_MAY, {"role": BROWSER}).fetchall())
        else_ = [row[0] for row in admin.execute(_MAY_ELSE, {"role": BROWSER})]
    assert {right for _, right in may} == {"SELECT"}
    tables = {table for table, _ in may}
    assert {f"reports.airports__v{version}" for version in versions} < tables
    assert tables - {table for table in tables if "__v" in table} == {f"kubescribe.{table}" for table in BROWSED}
    assert else_ == []


@pytest.mark.parametrize("own_login", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO kubescribe.publication DEFAULT VALUES",
        "UPDATE kubescribe.current SET version = 1",
        "DELETE FROM kubescribe.staged",
        "TRUNCATE kubescribe.publication",
        "CREATE TABLE reports.x (a int)",
        "CREATE TEMP TABLE x (a int)",
        "DROP TABLE kubescribe.current",
        "SELECT nextval('kubescribe.fence_number')",
        "SELECT lo_create(0)",
        "SELECT * FROM kubescribe.fence",
        "SELECT * FROM pg_authid",
        "SET TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_the_session_refuses_whatever_writes_or_pries(
    world: World, server: ReportServer, login: dict[str, Any], statement: str, own_login: bool
) -> None:
    world.published()
    reader = PostgresReportReader(login, role=None) if own_login else world.reader

    async def attempt() -> None:
        async with reader._session.transaction() as connection:  # type: ignore[attr-defined]
            await connection.execute(statement)

    with pytest.raises(
        DatabaseRefused, match=r"permission denied|read-only|must be set before any query|must be superuser"
    ):
        run(attempt())


def test_a_login_of_its_own_serves(world: World, login: dict[str, Any]) -> None:
    first = world.published(small(1))
    world.published(small(2))
    reader = PostgresReportReader(login, role=None)
    assert run(reader.page(ASKED)).rows[0] == (2, "a")
    page = run(reader.page(RowQuery(report="airports", version=first.version)))
    assert page.rows[0] == (1, "a")


def test_without_the_role_it_says_what_to_do(world: World, server: ReportServer) -> None:
    world.published()
    reader = PostgresReportReader(server.kwargs("reader"), role=BROWSER)
    with pytest.raises(DatabaseRefused, match="REPORT_READER_DB_URL"):
        run(reader.page(ASKED))
    with pytest.raises(DatabaseRefused, match="--grants PUBLISHER READER"):
        run(PostgresReportReader(server.kwargs(PUBLISHER), role="nobody_of_that_name").summaries())


def test_a_login_without_rights_and_tables_of_an_older_release(world: World, server: ReportServer) -> None:
    world.published()
    with pytest.raises(DatabaseRefused, match="permission denied"):
        run(PostgresReportReader(server.kwargs("reader"), role=None).page(ASKED))
    with server.admin() as admin:
        admin.execute("UPDATE kubescribe.report_schema_version SET version_num = '0002'")
    with pytest.raises(SchemaMismatch, match="kubescribe migrate"):
        run(world.reader.page(ASKED))


def test_only_the_reports_schema_is_read(world: World, server: ReportServer) -> None:
    world.published()
    with server.admin() as admin:
        admin.execute(
            "UPDATE kubescribe.staged SET schema_name = 'pg_catalog', table_name = 'pg_authid', "
            """columns = '[{"name": "rolname", "type": "text"}]'"""
        )
    with pytest.raises(DatabaseRefused, match="schema pg_catalog, and only reports"):
        run(world.reader.page(ASKED))


def test_versions_of_before_the_role_are_granted_by_the_migration(world: World, server: ReportServer) -> None:
    one = world.published()
    with server.admin() as admin:
        admin.execute(f"REVOKE ALL ON reports.airports__v{one.version} FROM {BROWSER}".encode())
        with pytest.raises(DatabaseRefused, match="permission denied"):
            run(world.reader.page(ASKED))
        for _ in range(2):
            admin.execute(browser_grants("reports").encode())
    assert len(run(world.reader.page(ASKED)).rows) == 3


def test_nobody_else_gets_to_see_a_version(world: World, server: ReportServer) -> None:
    one = world.published()
    with server.reader() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT * FROM reports.airports__v{one.version}".encode())


# -- S-12: statements --------------------------------------------------------------------------------------------------


def test_no_value_of_twenty_thousand_gets_into_a_statement(
    world: World, server: ReportServer, report_cluster: Cluster
) -> None:
    world.published(pl.DataFrame({"k": [1, 2, 3], "t": ["x'; DROP TABLE y", "b", None]}), key=("k",))
    with server.admin() as admin:
        admin.execute(f"ALTER DATABASE \"{server.name}\" SET log_statement = 'all'".encode())
        admin.execute(f'ALTER DATABASE "{server.name}" SET log_parameter_max_length = -1'.encode())
    start = report_cluster.log_file.stat().st_size
    corpus = [f"canary7719{text}" for text in injections(CORPUS)]

    async def ask() -> None:
        for at in range(0, CORPUS, 500):
            some = tuple(corpus[at : at + 500])
            query = RowQuery(report="airports", filters=(Filter("t", Operator.IN, some),))
            assert (await world.reader.page(query)).rows == ()
        for text in corpus[:: CORPUS // 40]:
            for operator in (Operator.EQ, Operator.CONTAINS, Operator.LT):
                query = RowQuery(report="airports", filters=(Filter("t", operator, (text,)),), sort=(Sort("t"),))
                page = await world.reader.page(query, limit=1)
                if page.next is not None:
                    await world.reader.page(query, limit=1, after=page.next)

    run(ask())
    with report_cluster.log_file.open("rb") as file:
        file.seek(start)
        entries = re.split(r"^(?=\d{4}-\d\d-\d\d )", file.read().decode(), flags=re.MULTILINE)
    told = [entry for entry in entries if "canary7719" in entry]
    details = [entry for entry in told if re.search(r"\] DETAIL:  [Pp]arameters: ", entry)]
    assert len(details) >= CORPUS // 500 + 3 * 40
    assert told == details
    assert any("strpos" in entry for entry in entries)
    assert len(run(world.reader.page(ASKED)).rows) == 3


def test_what_is_asked_for_on_purpose_is_found(world: World) -> None:
    texts = list(injections(400))
    world.published(pl.DataFrame({"t": texts}))
    for text in texts[::10]:
        query = RowQuery(report="airports", filters=(Filter("t", Operator.EQ, (text,)),))
        assert run(world.reader.page(query)).rows == ((text,),)


# -- while others work -------------------------------------------------------------------------------------------------


def test_pages_of_a_version_are_whole_while_others_publish_and_retire(world: World) -> None:
    world.published(pl.DataFrame({"k": range(40), "of": [0] * 40}))
    seen: list[set[int]] = []

    async def read() -> None:
        for _ in range(6):
            page = await world.reader.page(ASKED, limit=8)
            rows = list(page.rows)
            while page.next is not None:
                page = await world.reader.page(ASKED, limit=8, after=page.next)
                rows += page.rows
            assert sorted(int(str(row[0])) for row in rows) == list(range(40))
            seen.append({int(str(row[1])) for row in rows})

    async def publish() -> None:
        for number in range(1, 8):
            attempt = await asyncio.to_thread(world.attempt)
            frame = pl.DataFrame({"k": range(40), "of": [number] * 40})
            staged = await asyncio.to_thread(attempt.stage, frame)
            await world.publisher.publish(attempt.request, (staged,))
            await world.publisher.retire("airports", 5)

    async def both() -> None:
        await asyncio.gather(read(), publish())

    run(both())
    assert all(len(one) == 1 for one in seen)


def test_a_version_that_goes_while_it_is_looked_for_is_gone(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.published()
    made = row_query.page_statement

    def retired(table: str, *args: Any, **more: Any) -> row_query.Statement:
        with server.admin() as admin:
            admin.execute(f"ALTER TABLE reports.airports__versions DETACH PARTITION {table}".encode())
            admin.execute(f"DROP TABLE {table}".encode())
        return made(table, *args, **more)

    monkeypatch.setattr("kubescribe.adapters.report.reader.page_statement", retired)
    with pytest.raises(VersionGone, match="retired while") as caught:
        run(world.reader.page(ASKED))
    assert caught.value.version == one.version


def test_a_table_that_was_rewritten_ends_the_cursors_into_its_places(world: World, server: ReportServer) -> None:
    for name, key in (("by_place", ()), ("by_key", ("k",))):
        one = world.published(small(1), report=name, key=key)
        first = run(world.reader.page(RowQuery(report=name), limit=1))
        with server.admin() as admin:
            admin.execute(f"VACUUM FULL reports.{name}__v{one.version}".encode())
        if key:
            assert run(world.reader.page(RowQuery(report=name), limit=1, after=first.next)).rows == ((2, "b"),)
        else:
            with pytest.raises(VersionGone, match="rewritten"):
                run(world.reader.page(RowQuery(report=name), limit=1, after=first.next))


def test_what_takes_too_long_is_given_up(world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    one = world.published()
    hasty = PostgresReportReader(server.kwargs(), role=BROWSER, statement_timeout=0.5, difference_timeout=0.5)
    slow = row_query.Statement("SELECT pg_sleep(600)", ())

    async def slow_difference(connection: Any, *sides: Any, **more: Any) -> None:
        await connection.fetch(slow.text)

    async def stream() -> None:
        async with hasty.stream(ASKED) as stream:
            await anext(stream.batches)

    for name, other in (
        ("page_statement", lambda *_, **__: slow),
        ("stream_statement", lambda *_, **__: slow),
        ("difference", slow_difference),
    ):
        monkeypatch.setattr(f"kubescribe.adapters.report.reader.{name}", other)
    for call in (hasty.page(ASKED), hasty.difference("airports", one.version, one.version), stream()):
        with pytest.raises(TookTooLong, match=r"longer than 0\.5 s"):
            run(call)


def test_a_page_by_the_key_is_read_through_its_index(world: World, server: ReportServer) -> None:
    world.published(pl.DataFrame({"a": range(20_000), "b": ["x"] * 20_000}), key=("b", "a"))
    statements: list[row_query.Statement] = []
    made = row_query.page_statement

    def spied(*args: Any, **more: Any) -> row_query.Statement:
        statements.append(made(*args, **more))
        return statements[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kubescribe.adapters.report.reader.page_statement", spied)
        for sort in ((), (Sort("b", True),)):
            query = RowQuery(report="airports", sort=sort)
            first = run(world.reader.page(query, limit=3))
            run(world.reader.page(query, limit=3, after=first.next))

    async def plan(statement: row_query.Statement) -> str:
        async with world.reader._session.transaction() as connection:  # type: ignore[attr-defined]
            rows = await connection.fetch(f"EXPLAIN {statement.text}", *statement.values)
            return "\n".join(row[0] for row in rows)

    for statement in statements:
        found = run(plan(statement))
        assert "Index" in found and "Sort" not in found, found
        assert ("Index Cond" in found) is (len(statement.values) > 1), found


def test_a_reader_leaves_no_session_behind(world: World, server: ReportServer) -> None:
    world.published(pl.DataFrame({"k": range(30_000)}))

    async def leave() -> None:
        async with world.reader.stream(ASKED) as stream:
            await anext(stream.batches)

    async def be_cancelled() -> None:
        reading = asyncio.create_task(stuck())
        await started.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    async def stuck() -> None:
        async with world.reader.stream(ASKED) as stream:
            await anext(stream.batches)
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    run(leave())
    run(be_cancelled())
    server.expect_no_connections()


def test_a_slow_reader_is_given_up(world: World, server: ReportServer) -> None:
    world.published(pl.DataFrame({"k": range(30_000)}))
    hasty = PostgresReportReader(server.kwargs(), role=BROWSER, stream_timeout=0.0)

    async def read() -> None:
        async with hasty.stream(ASKED) as stream:
            async for _ in stream.batches:
                pass

    with pytest.raises(TookTooLong, match="download"):
        run(read())


def test_an_append_that_is_left_out_is_named_by_its_run_alone(world: World) -> None:
    first = world.published(small(1), mode=Mode.APPEND)
    second = world.published(small(2), mode=Mode.APPEND)
    text = row_query.remaining('"reports"."r"', (second.run_id, UUID(int=1)))
    assert text.count("::uuid") == 2
    assert run(world.reader.difference("airports", first.version, second.version)).added == 3


def test_databases_of_one_server_may_be_migrated_at_once() -> None:
    with Cluster() as cluster:  # which has no such role yet
        _migrate_at_once(cluster)


def _migrate_at_once(cluster: Cluster) -> None:
    names = [f"at_once_{number}" for number in range(3)]
    code = (
        "import asyncio, sys; from kubescribe.adapters.report.migrate import migrate; "
        "asyncio.run(migrate(eval(sys.argv[1])))"
    )
    for name in names:
        cluster.create_database(name)
    running = [
        subprocess.Popen([sys.executable, "-c", code, repr(kwargs(cluster, name))], stderr=subprocess.PIPE)
        for name in names
    ]
    for one in running:
        _, told = one.communicate()
        assert one.returncode == 0, told
    for name in names:
        with psycopg.connect(cluster.url(name)) as connection:
            row = connection.execute(
                f"SELECT has_table_privilege('{BROWSER}', 'kubescribe.publication', 'SELECT')".encode()
            ).fetchone()
            assert row == (True,)
        cluster.drop_database(name)


# -- types that no frame has -------------------------------------------------------------------------------------------

ODD = [
    ("uuid", ["00000000-0000-0000-0000-000000000001", "ffffffff-0000-0000-0000-000000000000"]),
    ("json", ['{"a": 1}', '{"b":   [1, 2]}']),
    ("jsonb", ['{"a": 1}', '{"b": [1, 2]}']),
    ("inet", ["10.0.0.1", "10.0.0.2/8"]),
    ("text[]", ["{a,b}", "{c,NULL}"]),
    ("int4range", ["[1,5)", "[2,6)"]),
    ("point", ["(1,2)", "(3,4)"]),
    ("character varying(20)", ["a", "b"]),
    ("character(3)", ["a  ", "b  "]),
    ("numeric", ["-1e-30", "1e300"]),
    ("numeric", ["1", "NaN"]),
    ("numeric(50,10)", ["1.0000000000", "2.0000000000"]),
    ("date", ["-infinity", "0044-03-15 BC", "0001-01-01", "9999-12-31", "10000-01-01", "infinity"]),
    ("timestamp(3) without time zone", ["-infinity", "0001-01-01 00:00:00", "2024-01-01 00:00:00.123", "infinity"]),
    ("timestamp with time zone", ["0044-03-15 00:00:00+00 BC", "9999-12-31 23:59:59.999999+00", "infinity"]),
    ("time(0) without time zone", ["00:00:00", "24:00:00"]),
    ("interval", ["P-1M", "PT-1H", "P1DT2H", "P1Y2M3D"]),
    ("time with time zone", ["10:00:00+00", "10:00:00-05"]),
    ("bit(3)", ["001", "111"]),
]


@pytest.mark.parametrize(("kind", "values"), ODD, ids=[f"{kind}-{values[0]}" for kind, values in ODD])
def test_types_that_no_frame_has(world: World, server: ReportServer, kind: str, values: list[str]) -> None:
    frame = pl.DataFrame({"n": range(len(values) + 1), "v": [*values, None]})
    one = world.published(frame)
    columns = f'[{{"name": "n", "type": "bigint"}}, {{"name": "v", "type": "{kind}"}}]'
    table = f"reports.airports__v{one.version}"
    with server.admin() as admin:
        admin.execute(f"ALTER TABLE reports.airports__versions DETACH PARTITION {table}".encode())
        admin.execute(f"ALTER TABLE {table} ALTER v TYPE {kind} USING v::{kind}".encode())
        admin.execute("UPDATE kubescribe.staged SET columns = %s::jsonb", [columns])
    count = len(values) + 1

    async def rows(*filters: Filter, sort: tuple[Sort, ...] = (Sort("v"),)) -> list[Any]:
        query = RowQuery(report="airports", filters=filters, sort=sort)
        page = await world.reader.page(query, limit=1)
        found = list(page.rows)
        while page.next is not None:
            page = await world.reader.page(query, limit=1, after=page.next)
            found += page.rows
        return found

    upwards = run(rows())
    assert [row[0] for row in upwards] == list(range(count))
    assert upwards[-1][1] is None
    downwards = run(rows(sort=(Sort("v", True),)))
    assert [row[0] for row in downwards] == [*range(count - 2, -1, -1), count - 1]
    assert [row[0] for row in run(rows(Filter("v", Operator.IS_NULL, ("true",))))] == [count - 1]
    found = text_of(upwards[0][1])
    assert found is not None
    if not found.startswith("-infinity") and kind not in ("interval",) and "BC" not in found:
        for operator in (Operator.EQ, Operator.IN):
            assert [row[0] for row in run(rows(Filter("v", operator, (found,))))] == [0]
        assert len(run(rows(Filter("v", Operator.NE, (found,))))) == count - 1

    async def written(kind: RowFormat) -> bytes:
        async with world.reader.stream(ASKED) as stream:
            return b"".join([piece async for piece in row_encoder(kind).encode(stream.columns, stream.batches)])

    assert len(msgspec.json.decode(run(written(RowFormat.JSON)))) == count
    assert found in run(written(RowFormat.CSV)).decode().replace('""', '"')
    for binary in (RowFormat.ARROW, RowFormat.PARQUET):
        try:
            assert run(written(binary))
        except BadRowQuery as error:
            assert "cannot hold" in str(error)
            assert kind.startswith(("date", "time", "interval"))
    difference = run(world.reader.difference("airports", one.version, one.version))
    assert (difference.equal, difference.rows_after) == (True, count)


def test_a_value_that_the_server_refuses_is_a_bad_question(world: World, server: ReportServer) -> None:
    world.published(pl.DataFrame({"d": [None], "iv": [None]}, schema={"d": pl.Date, "iv": pl.Duration("us")}))
    query = RowQuery(report="airports", sort=(Sort("d"),))
    forged = Position("", 1, 2, "", ())
    with pytest.raises((BadCursor, VersionGone)):
        run(world.reader.page(query, after=cursor_after(query, _plan_of(query), forged, ("12345-99-99", (0, 1)))))


def _plan_of(query: RowQuery) -> Plan:
    return plan(query, (Column("d", "date"), Column("iv", "interval")), (), unique=False)
