"""A rollback is recorded in both databases, and the report database decides."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.roll_back_report import RollBackReport
from kubescribe.domain.errors import (
    DatabaseRefused,
    DatabaseUnavailable,
    KubescribeError,
    ReportNotFound,
    SchemaMismatch,
)
from kubescribe.domain.event import Event
from kubescribe.domain.report import Publication


class Catalogue:
    """Rolls back, or raises what it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, Any]] = []

    async def roll_back(self, report: str, **how: Any) -> Publication:
        self.asked.append({"report": report, **how})
        if self.error is not None:
            raise self.error
        return Publication(
            report=report,
            run_id=how["rollback_id"],
            version=how["to"] or 6,
            kind="rollback",
            rows=1,
            checksum="",
            fingerprint="",
            actor=how["actor"],
            reason=how["reason"],
            published_at=datetime.now(UTC),
        )


def rolled_back(
    loop: asyncio.Runner, catalogue: Any, database: MemoryRunLogDatabase, to: int | None = 5
) -> tuple[Publication, bool]:
    use_case = RollBackReport(catalogue=catalogue, run_log=MemoryRunLog(database), ids=MemoryIds())
    return loop.run(use_case("delays", to=to, actor="user:ann", reason="wrong month"))


@pytest.mark.parametrize("to", [5, None])
def test_both_databases_have_it(loop: asyncio.Runner, to: int | None) -> None:
    catalogue, database = Catalogue(), MemoryRunLogDatabase()
    publication, recorded = rolled_back(loop, catalogue, database, to)
    assert recorded
    assert catalogue.asked == [
        {"report": "delays", "to": to, "rollback_id": MemoryIds().new(), "actor": "user:ann", "reason": "wrong month"}
    ]
    (event,) = database.events
    assert (event.subject, event.kind, event.actor, event.run_id) == (
        "report:delays",
        "report.rolled_back",
        "user:ann",
        None,
    )
    assert event.data == {
        "version": publication.version,
        "reason": "wrong month",
        "rollback": str(publication.run_id),
    }


def test_runlog_away_is_said_and_changes_nothing_of_it(loop: asyncio.Runner) -> None:
    database = MemoryRunLogDatabase()
    database.available = False
    publication, recorded = rolled_back(loop, Catalogue(), database)
    assert (publication.version, recorded) == (5, False)


@pytest.mark.parametrize(
    "error", [DatabaseRefused("RunLog", "no such database", "create it"), SchemaMismatch("RunLog", None, "0001")]
)
def test_a_runlog_that_refuses_does_not_make_it_look_refused(loop: asyncio.Runner, error: KubescribeError) -> None:
    class Refusing(MemoryRunLog):
        async def record(self, event: Event) -> None:
            raise error

    catalogue: Any = Catalogue()
    use_case = RollBackReport(catalogue=catalogue, run_log=Refusing(MemoryRunLogDatabase()), ids=MemoryIds())
    publication, recorded = loop.run(use_case("delays", to=5, actor="user:ann", reason=None))
    assert (publication.version, recorded) == (5, False)


@pytest.mark.parametrize("error", [ReportNotFound("delays"), DatabaseUnavailable("report", "gone")])
def test_what_the_report_database_refuses_is_no_event(loop: asyncio.Runner, error: Exception) -> None:
    database = MemoryRunLogDatabase()
    with pytest.raises(type(error)):
        rolled_back(loop, Catalogue(error), database)
    assert database.events == []


def test_each_rollback_has_an_id_of_its_own(loop: asyncio.Runner) -> None:
    catalogue: Any = Catalogue()
    use_case = RollBackReport(catalogue=catalogue, run_log=MemoryRunLog(MemoryRunLogDatabase()), ids=MemoryIds())
    ids: set[UUID] = set()
    for _ in range(3):
        publication, _recorded = loop.run(use_case("delays", to=None, actor="user:ann", reason=None))
        ids.add(publication.run_id)
    assert len(ids) == 3
