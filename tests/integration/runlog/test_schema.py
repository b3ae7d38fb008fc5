"""RunLog's schema: made once by whoever comes first, the same by every way, and held to the domain."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.postgres import tables
from kubescribe.adapters.postgres.attempt_log import PostgresAttemptLog
from kubescribe.adapters.postgres.engine import runlog_engine
from kubescribe.adapters.postgres.migrate import migrate, migration_sql
from kubescribe.adapters.postgres.run_log import PostgresRunLog
from kubescribe.adapters.postgres.schema import HEAD, schema_is_current, schema_version
from kubescribe.domain.errors import DatabaseRefused, DatabaseUnavailable, SchemaMismatch
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.note import NoteKind
from kubescribe.domain.run import Evidence, Trigger
from kubescribe.domain.run_status import OPEN, RunStatus
from tests.support.addresses import asyncpg_address
from tests.support.builders import a_claim
from tests.support.clusters import Cluster

pytestmark = pytest.mark.integration

_CATALOGUE = """
SELECT 'column', table_name, column_name, data_type, is_nullable, column_default, identity_generation
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'check', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', '', ''
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'options', relname, coalesce(reloptions::text, ''), '', '', '', ''
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def empty_url(cluster: Cluster) -> Iterator[str]:
    yield cluster.create_database("empty")
    cluster.drop_database("empty")


def catalogue(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(_CATALOGUE).fetchall()


def ask(url: str, function: Any) -> Any:
    async def work() -> Any:
        connection = await asyncpg.connect(**asyncpg_address(url))
        try:
            return await function(connection)
        finally:
            await connection.close()

    return asyncio.run(work())


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    assert not ask(empty_url, schema_is_current)
    assert asyncio.run(migrate(asyncpg_address(empty_url))) is None
    before = catalogue(empty_url)
    assert asyncio.run(migrate(asyncpg_address(empty_url))) == HEAD
    assert catalogue(empty_url) == before
    assert ask(empty_url, schema_is_current)


def test_five_processes_at_once(empty_url: str, runlog_url: str) -> None:
    program = (
        "import asyncio; from kubescribe.adapters.postgres.migrate import migrate; "
        f"print(asyncio.run(migrate({asyncpg_address(empty_url)!r})))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(5)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert [process.returncode for process in started] == [0] * 5
    assert said == [*4 * [HEAD], "None"]
    assert catalogue(empty_url) == catalogue(runlog_url)


def test_five_tasks_at_once(empty_url: str, runlog_url: str) -> None:
    async def all_of_them() -> list[str | None]:
        return await asyncio.gather(*(migrate(asyncpg_address(empty_url)) for _ in range(5)))

    assert sorted(map(str, asyncio.run(all_of_them()))) == [*4 * [HEAD], "None"]
    assert catalogue(empty_url) == catalogue(runlog_url)


def test_the_sql_for_psql_makes_the_same(empty_url: str, runlog_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute(migration_sql().encode())
    assert catalogue(empty_url) == catalogue(runlog_url)
    assert ask(empty_url, schema_is_current)


def test_the_head_is_alembics() -> None:
    from alembic.script import ScriptDirectory

    from kubescribe.adapters.postgres.migrate import _config

    assert ScriptDirectory.from_config(_config()).get_current_head() == HEAD


def test_the_tables_are_those_of_the_migrations(runlog_url: str) -> None:
    made = {(row[1], row[2], row[4]) for row in catalogue(runlog_url) if row[0] == "column"}
    made = {row for row in made if row[0] != "kubescribe_schema"}
    declared = {
        (table.name, column.name, "YES" if column.nullable else "NO")
        for table in tables.metadata.tables.values()
        for column in table.columns
    }
    assert made == declared


@pytest.mark.parametrize(
    ("constraint", "kind"),
    [
        ("run_status_known", RunStatus),
        ("run_trigger_known", Trigger),
        ("run_cause_known", FailureCause),
        ("run_skip_reason_known", SkipReason),
        ("run_evidence_known", Evidence),
        ("note_kind_known", NoteKind),
    ],
)
def test_the_lists_are_the_domains(runlog_url: str, constraint: str, kind: type[StrEnum]) -> None:
    (definition,) = [row[3] for row in catalogue(runlog_url) if row[0] == "check" and row[2] == constraint]
    assert set(re.findall(r"'([a-z_]+)'", definition)) == {member.value for member in kind}


def test_the_open_states_are_the_domains(runlog_url: str) -> None:
    texts = [row[3] for row in catalogue(runlog_url) if row[2] in ("run_open", "run_is_final", "run_ended")]
    assert len(texts) == 3
    for text in texts:
        assert set(re.findall(r"'([a-z]+)'", text)) == {str(status) for status in OPEN}


@pytest.mark.parametrize(("version", "remedy"), [("0000", "run `kubescribe migrate`"), ("9999", "newer KubeScribe")])
def test_another_schema_is_told_with_its_remedy(empty_url: str, version: str, remedy: str) -> None:
    address = asyncpg_address(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kubescribe_schema (version_num text)")
        connection.execute("INSERT INTO kubescribe_schema VALUES (%s)", [version])
    _refused(address, version, remedy)
    if version == "9999":
        with pytest.raises(SchemaMismatch):
            asyncio.run(migrate(address))


def test_a_missing_schema_is_told_with_its_remedy(empty_url: str) -> None:
    _refused(asyncpg_address(empty_url), None, "run `kubescribe migrate`")
    assert ask(empty_url, schema_version) is None


def _refused(address: dict[str, Any], found: str | None, remedy: str) -> None:
    async def work() -> None:
        ids, log, engine = MemoryIds(), PostgresAttemptLog(address), runlog_engine(address)
        for call in (log.claim(a_claim(ids.new(), ids.new())), PostgresRunLog(engine).get(ids.new())):
            with pytest.raises(SchemaMismatch, match=remedy) as caught:
                await call
            assert (caught.value.found, caught.value.expected) == (found, HEAD)
        await log.close()
        await engine.dispose()

    asyncio.run(work())


def test_migrating_what_is_away_or_forbidden_is_told(cluster: Cluster, empty_url: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        asyncio.run(migrate(asyncpg_address(empty_url) | {"port": 1}))
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_much LOGIN")
    with pytest.raises(DatabaseRefused, match="owner"):
        asyncio.run(migrate(asyncpg_address(empty_url) | {"user": "nobody_much"}))
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("DROP ROLE nobody_much")
