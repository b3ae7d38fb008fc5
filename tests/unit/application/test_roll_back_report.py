"""A rollback is recorded in both databases, and the report database decides; RunLog is completed later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from tests.support.publishing import small
from tests.support.report_worlds import memory_world

from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.record_rollbacks import RecordRollbacks
from kubescribe.application.roll_back_report import RollBackReport, RolledBack
from kubescribe.domain.errors import (
    DatabaseRefused,
    DatabaseUnavailable,
    KubescribeError,
    ReportNotFound,
    SchemaMismatch,
    VersionNotKept,
)
from kubescribe.domain.event import Event


class Place:
    """A report of two versions, and a RunLog."""

    def __init__(self) -> None:
        self.reports, self.runlog = MemoryReportDatabase(), MemoryRunLogDatabase()
        world = memory_world(self.reports)
        self.old, self.new = world.published(small(1)), world.published(small(2))
        self.catalogue, self.run_log = MemoryReportCatalogue(self.reports), MemoryRunLog(self.runlog)
        self.ids = MemoryIds()

    async def roll_back(self, to: int | None = None, report: str = "airports", reason: str = "wrong") -> RolledBack:
        use_case = RollBackReport(catalogue=self.catalogue, run_log=self.run_log, ids=self.ids)
        return await use_case(report, to=to, actor="user:ann", reason=reason, tenant="sales", method="cli")

    async def complete(self) -> tuple[Any, ...]:
        return await RecordRollbacks(catalogue=self.catalogue, run_log=self.run_log)(tenant="sales")

    def told(self) -> list[Event]:
        return [event for event in self.runlog.events if event.kind == "report.rolled_back"]


@pytest.fixture
def place() -> Place:
    return Place()


def test_both_databases_have_it_with_before_and_after(loop: asyncio.Runner, place: Place) -> None:
    publication, changed, recorded = loop.run(place.roll_back())
    assert (changed, recorded, publication.version) == (True, True, place.old.version)
    (event,) = place.told()
    assert (event.subject, event.actor, event.tenant) == ("report:airports", "user:ann", "sales")
    assert (event.method, event.reason, event.run_id) == ("cli", "wrong", None)
    assert event.before == {"version": place.new.version, "rows": 3, "publication": str(place.new.run_id)}
    assert event.after == {"version": place.old.version, "rows": 3, "publication": str(publication.run_id)}
    assert event.data == {
        "rollback": str(publication.run_id),
        "rolled_back_at": publication.published_at.isoformat(),
    }
    assert loop.run(place.complete()) == ()
    assert len(place.told()) == 1


def test_to_what_is_shown_already_is_nothing_at_all(loop: asyncio.Runner, place: Place) -> None:
    ledger = len(place.reports.ledger)
    publication, changed, recorded = loop.run(place.roll_back(place.new.version))
    assert (publication, changed, recorded) == (place.new, False, True)
    assert (len(place.reports.ledger), place.told()) == (ledger, [])


def test_runlog_away_is_said_and_completed_later(loop: asyncio.Runner, place: Place) -> None:
    place.runlog.available = False
    publication, changed, recorded = loop.run(place.roll_back())
    assert (publication.version, changed, recorded) == (place.old.version, True, False)
    with pytest.raises(DatabaseUnavailable):
        loop.run(place.complete())
    place.runlog.available = True
    assert loop.run(place.complete()) == (publication,)
    (event,) = place.told()
    assert (event.actor, event.reason, event.method) == ("user:ann", "wrong", None)
    assert event.before == {"version": place.new.version, "rows": 3, "publication": str(place.new.run_id)}
    assert event.data["written_late"] is True
    assert event.data["rolled_back_at"] == publication.published_at.isoformat()
    for _ in range(2):
        assert loop.run(place.complete()) == ()
    assert len(place.told()) == 1


def test_several_that_are_missing_are_written_in_their_order(loop: asyncio.Runner, place: Place) -> None:
    place.runlog.available = False
    for to in (place.old.version, place.new.version, place.old.version):
        loop.run(place.roll_back(to))
    place.runlog.available = True
    loop.run(place.complete())
    old, new = place.old.version, place.new.version
    assert [(one.before or {})["version"] for one in place.told()] == [new, old, new]
    assert [(one.after or {})["version"] for one in place.told()] == [old, new, old]


def test_the_report_database_away_after_the_rollback_is_completed_later(loop: asyncio.Runner, place: Place) -> None:
    class Leaving(MemoryReportCatalogue):
        async def rollbacks(self, **_: Any) -> Any:
            raise DatabaseUnavailable("report", "it has just gone")

    here, place.catalogue = place.catalogue, Leaving(place.reports)
    assert loop.run(place.roll_back()).recorded is False
    place.catalogue = here
    assert len(loop.run(place.complete())) == 1


@pytest.mark.parametrize(
    "error", [DatabaseRefused("RunLog", "no such database", "create it"), SchemaMismatch("RunLog", None, "0001")]
)
def test_a_runlog_that_refuses_does_not_make_it_look_refused(
    loop: asyncio.Runner, place: Place, error: KubescribeError
) -> None:
    class Refusing(MemoryRunLog):
        async def record_once(self, event: Event, *, identity: str) -> bool:
            raise error

    place.run_log = Refusing(place.runlog)
    assert loop.run(place.roll_back())[1:] == (True, False)


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (lambda place: place.roll_back(report="delays"), ReportNotFound),
        (lambda place: place.roll_back(999), VersionNotKept),
    ],
)
def test_what_the_report_database_refuses_is_no_event(
    loop: asyncio.Runner, place: Place, attempt: Callable[[Place], Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        loop.run(attempt(place))
    assert place.told() == []


def test_a_reason_that_no_database_takes_is_mended(loop: asyncio.Runner, place: Place) -> None:
    publication = loop.run(place.roll_back(reason="a\0b\ud800" + "x" * 9000)).publication
    assert publication.reason is not None
    assert publication.reason.startswith("a␀b\\ud800x")
    assert len(publication.reason) <= 2000


def test_each_rollback_has_an_id_of_its_own(loop: asyncio.Runner, place: Place) -> None:
    ids: set[UUID] = set()
    for to in (place.old.version, place.new.version, place.old.version):
        ids.add(loop.run(place.roll_back(to)).publication.run_id)
    assert len(ids) == 3
