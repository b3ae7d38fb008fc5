"""Names that are long, quoted, hostile or in any script: of tables, columns and reports, by every way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from kubescribe.domain.errors import BadDeclaration, QueryFailed, ReportMismatch
from kubescribe.domain.mode import Mode
from kubescribe.domain.report import ReportSpec, Staged
from tests.support.both_databases import Both
from tests.support.clusters import Cluster
from tests.support.modes import MODES, expect_whole, numbered
from tests.support.publishing import Attempt, World, run
from tests.support.report_database import ReportServer
from tests.support.report_worlds import postgres_world

pytestmark = pytest.mark.integration

NAMES = [
    "n" * 63,
    "é" * 31,
    "表" * 21,
    "😀" * 15,
    "select",
    "Upper Case",
    ' "quoted" ',
    '"',
    "it's",
    "a\\b",
    "a;--",
    "/* c */",
    "per cent %s %(x)s {} :x ::y $1",
    "^a$",
    "*",
    "0",
    "\n\t\r",
    "\x01\x7f",
    "\u202eright",
    "e\u0301",
    "é",
    "null",
    "default",
]
LONG = "r" * 60


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with Cluster() as cluster:
        ReportServer.prepare(cluster)
        both = Both(cluster, "")
        yield both
        both.close()


@pytest.fixture
def world(both: Both) -> Iterator[World]:
    world = postgres_world(both.report)
    yield world
    world.staging.close()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def staged(both: Both, attempt: Attempt, way: str, query: str, report: str = "named", **how: Any) -> Staged:
    spec, ids = ReportSpec(name=report, **how), {"run_id": attempt.run_id, "attempt_id": attempt.attempt_id}
    if way == "copy":
        return both.staging.relay(spec, both.source.relay(query, {}, name="q"), **ids)
    rows = both.source.read(query, {}, name="q", batch=2 if way == "scan" else None)
    return both.staging.stage(spec, rows, **ids)


@pytest.mark.parametrize("way", ["read", "scan", "copy"])
def test_tables_and_columns_may_be_called_anything(both: Both, world: World, way: str) -> None:
    expected, report = [], f"named_{way}"
    for number, table in enumerate(NAMES):
        columns = ", ".join(f"{n} AS {quoted(name)}" for n, name in enumerate(NAMES))
        both.production.execute(f"DROP TABLE IF EXISTS {quoted(table)}".encode())
        both.production.execute(f"CREATE TABLE {quoted(table)} AS SELECT {number} AS row_, {columns}".encode())
        attempt = world.attempt()
        # the text may hold what looks like a bind: in quotes it is none
        query = f"SELECT * FROM {quoted(table)}"
        item = staged(both, attempt, way, query, report, mode=Mode.MERGE, key=("row_", *NAMES[:3]))
        attempt.publish(item)
        expected.append((number, *range(len(NAMES))))
    assert world.read(report) == expected
    assert run(world.catalogue.verify(report)).differences == ()
    assert [column.name for column in run(world.catalogue.get(report)).columns] == ["row_", *NAMES]


@pytest.mark.parametrize("way", ["read", "scan", "copy"])
def test_what_the_server_cuts_off_is_never_two_columns_of_one_name(both: Both, world: World, way: str) -> None:
    query = f"SELECT 1 AS {'n' * 63}a, 2 AS {'n' * 63}b"
    with pytest.raises(QueryFailed, match=f"it returns several columns called {'n' * 63}; rename them with AS"):
        staged(both, world.attempt(), way, query)
    one = staged(both, world.attempt(), way, f"SELECT 1 AS {'n' * 64}", report="cut")
    assert [column.name for column in one.columns] == ["n" * 63]  # as SQL's own copy has it


@pytest.mark.parametrize("name", ["n" * 64, "é" * 32, "表" * 22])
def test_a_frames_column_that_is_too_long_is_refused_and_not_cut_off(world: World, name: str) -> None:
    with pytest.raises(ReportMismatch, match="is longer than 63 bytes"):
        world.attempt().stage(pl.DataFrame({name: [1]}))


@pytest.mark.parametrize("mode", MODES)
def test_reports_of_the_longest_name_have_all_that_others_have(world: World, mode: str) -> None:
    twins = [f"{LONG}{mode[0]}{mode[-1]}{letter}" for letter in "ab"]
    attempts: dict[str, dict[Any, int]] = {twin: {} for twin in twins}
    for number in (1, 2, 3):
        for twin in twins:
            attempt = world.attempt()
            attempts[twin][attempt.run_id] = number
            attempt.publish(numbered(attempt, number, mode, twin))
    for twin in twins:
        assert len(twin) == 63
        expect_whole(world, mode, attempts[twin], twin)
    if mode in ("replace", "append"):
        run(world.catalogue.roll_back(twins[0], to=None, rollback_id=uuid4(), actor="me", reason=None))
        assert run(world.catalogue.verify(twins[0])).differences == ()
    expect_whole(world, mode, attempts[twins[1]], twins[1])
    again = world.attempt()
    wider = again.stage(
        pl.DataFrame({"k": [7], "p": ["x"], "by": ["y"], "more": [1]}), twins[1], schema="recreate", **MODES[mode]
    )
    again.publish(wider)
    assert (7, "x", "y", 1) in (world.read(twins[1]) or ())


@pytest.mark.parametrize("name", ["r" * 64, "", "Upper", "é", "a-b", "1a", "a b", 'a"b', "a'b", "a.b", "a\n", "ａ"])
def test_what_cannot_name_a_report(name: str) -> None:
    with pytest.raises(BadDeclaration, match="cannot name a report: use lower-case letters"):
        ReportSpec(name=name)
