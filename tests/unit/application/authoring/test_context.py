from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from kubescribe import Context, rows, unique
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.source import MemorySource
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.application.authoring.context import Tools
from kubescribe.application.authoring.failure import Abandoned
from kubescribe.application.ports.payload import Assignment
from kubescribe.application.ports.source import Source
from kubescribe.application.ports.staging import Staging
from kubescribe.domain.errors import (
    BadDeclaration,
    DatabaseUnavailable,
    NotConfigured,
    QueryFailed,
    ReportRepeated,
    ReportsMissing,
    ReportUndeclared,
)
from kubescribe.domain.note import NoteKind

RUN, ATTEMPT = UUID(int=1), UUID(int=2)
FRAME = pl.DataFrame({"id": [1, 2, 3]})


class Desk:
    """A context with everything in memory, and what it told."""

    def __init__(
        self, *, reports: tuple[str, ...] | None = None, may_stage: bool = True, configured: bool = True
    ) -> None:
        self.told: list[tuple[NoteKind, dict[str, Any]]] = []
        self.source = MemorySource({"flights": FRAME})
        self.database = MemoryReportDatabase()
        self.now = 0.0
        source: Callable[[], Source] = lambda: self.source  # noqa: E731
        staging: Callable[[], Staging] = lambda: MemoryStaging(self.database)  # noqa: E731
        self.context = Context(
            Assignment(run_id=RUN, attempt_id=ATTEMPT, may_stage=may_stage, run_deadline_in=60.0),
            Tools(
                lambda kind, data: self.told.append((kind, data)),
                source if configured else None,
                staging if configured else None,
            ),
            reports=reports,
            parameters={"month": 3},
            clock=lambda: self.now,
        )

    def names(self, kind: NoteKind) -> list[str]:
        return [data["name"] for told, data in self.told if told is kind]

    def staged(self) -> dict[str, pl.DataFrame]:
        return {version.staged.spec.name: version.frame for version in self.database.versions.values()}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_knows_its_run(desk: Desk) -> None:
    run = desk.context
    assert (run.run_id, run.attempt_id, dict(run.parameters)) == (RUN, ATTEMPT, {"month": 3})
    with pytest.raises(TypeError):
        run.parameters["month"] = 4  # type: ignore[index]
    desk.now = 61.5
    assert run.deadline_in == -1.5


def test_a_read_is_a_frame_and_an_input(desk: Desk) -> None:
    assert desk.context.read("SELECT * FROM flights WHERE id > :low", low=1)["id"].to_list() == [2, 3]
    kind, data = desk.told[0]
    assert kind is NoteKind.INPUT
    assert (data["name"], data["rows"], data["snapshot"]) == ("flights", 2, "memory-1")
    assert data.keys() == {"name", "query_hash", "rows", "bytes", "seconds", "fingerprint", "snapshot"}


def test_queries_get_names_of_their_own(desk: Desk) -> None:
    run = desk.context
    run.read("SELECT * FROM flights")
    run.read("SELECT count(*) AS n FROM flights")
    run.read("VALUES (1)")
    run.read("SELECT 1 AS one FROM flights", name="mine")
    list(run.scan("SELECT * FROM flights", name="mine"))
    assert desk.names(NoteKind.INPUT) == ["flights", "flights-2", "query-3", "mine", "mine-2"]


def test_a_scan_starts_at_once_and_is_recorded_at_its_end(desk: Desk) -> None:
    with pytest.raises(QueryFailed, match="query flights failed"):
        desk.context.scan("SELECT nope FROM flights")
    scan = desk.context.scan("SELECT * FROM flights", batch=2)
    assert (next(scan).height, desk.told) == (2, [])
    assert [frame.height for frame in scan] == [1]
    assert desk.told[0][1]["rows"] == 3


def test_a_scan_that_is_left_is_recorded_as_far_as_it_came(desk: Desk) -> None:
    scan = desk.context.scan("SELECT * FROM flights", batch=2)
    next(scan)
    assert isinstance(scan, Iterator)
    scan.close()  # type: ignore[attr-defined]
    assert desk.told[0][1]["rows"] == 2


def test_nothing_is_read_after_source_done(desk: Desk) -> None:
    desk.context.source_done()
    with pytest.raises(QueryFailed, match="source_done"):
        desk.context.read("SELECT * FROM flights")


@pytest.mark.parametrize(
    "given",
    [FRAME, FRAME.lazy(), [FRAME.head(1), FRAME.tail(2)], (frame for frame in [FRAME]), FRAME.iter_slices(2)],
)
def test_a_report_takes_frames_lazy_frames_and_iterators(desk: Desk, given: Any) -> None:
    desk.context.report("numbers", given, key="id", checks=unique("id"))
    assert desk.staged()["numbers"]["id"].to_list() == [1, 2, 3]
    kind, data = desk.told[0]
    assert (kind, data["report"], data["rows"]) == (NoteKind.OUTPUT, "numbers", 3)
    assert desk.context.finish() == ("numbers",)


def test_an_empty_lazy_frame_keeps_its_schema(desk: Desk) -> None:
    desk.context.report("numbers", FRAME.lazy().filter(pl.col("id") > 9))
    assert desk.staged()["numbers"].schema == FRAME.schema


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id": [1]}, "got a dict"),
        ([{"id": 1}], "got a dict"),
        ("flights", "got a str"),
        (3, "got a int"),
        (FRAME["id"], "got a polars.series.series.Series"),
        (None, "got a NoneType"),
    ],
)
def test_other_rows_are_refused(desk: Desk, given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"report numbers needs a polars DataFrame.*{message}"):
        desk.context.report("numbers", given)


def test_a_report_may_come_from_a_scan_in_another_thread(desk: Desk) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        found: list[pl.DataFrame] = []
        thread = threading.Thread(target=lambda: found.append(desk.context.read("SELECT * FROM flights")))
        thread.start()
        thread.join(10)
        yield from found

    desk.context.report("numbers", frames())
    assert desk.staged()["numbers"].height == 3


def test_a_copy_is_an_input_and_an_output(desk: Desk) -> None:
    run = desk.context
    run.copy("SELECT * FROM flights WHERE id > :low", "late", key="id", checks=[rows(min=1)], low=1)
    assert desk.staged()["late"]["id"].to_list() == [2, 3]
    (version,) = desk.database.versions.values()
    assert (version.staged.spec.key, version.staged.spec.checks) == (("id",), (rows(min=1),))
    assert [(kind, data["name"], data["rows"]) for kind, data in desk.told] == [
        (NoteKind.INPUT, "flights", 2),
        (NoteKind.OUTPUT, "late", 2),
    ]
    assert run.finish() == ("late",)


def test_a_copy_is_held_to_what_a_report_and_a_read_are(desk: Desk) -> None:
    run = desk.context
    run.report("late", FRAME)
    with pytest.raises(ReportRepeated):
        run.copy("SELECT * FROM flights", "late")
    with pytest.raises(QueryFailed, match="query mine failed: the bind :low has no value"):
        run.copy("SELECT * FROM flights WHERE id > :low", "other", name="mine")
    with pytest.raises(ReportUndeclared):
        Desk(reports=("late",)).context.copy("SELECT * FROM flights", "other")
    with pytest.raises(DatabaseUnavailable):
        Desk(may_stage=False).context.copy("SELECT * FROM flights", "late")
    run.source_done()
    with pytest.raises(QueryFailed, match="source_done"):
        run.copy("SELECT * FROM flights", "other")


def test_a_report_is_handed_over_once(desk: Desk) -> None:
    desk.context.report("numbers", FRAME)
    with pytest.raises(ReportRepeated, match="numbers"):
        desk.context.report("numbers", FRAME)


def test_reports_are_held_to_the_declaration() -> None:
    desk = Desk(reports=("one", "two", "three"))
    with pytest.raises(ReportUndeclared, match="writes report other, and it declares one, two, three"):
        desk.context.report("other", FRAME)
    desk.context.report("two", FRAME)
    with pytest.raises(ReportsMissing, match="without handing over one, three, which it declares") as error:
        desk.context.finish()
    assert error.value.exit_code == 65
    with pytest.raises(ReportUndeclared, match="it declares that it writes none"):
        Desk(reports=()).context.report("one", FRAME)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checks": ["unique"]}, "'unique' is no check"),
        ({"mode": "upsert"}, "mode is 'upsert', and can be replace or append or merge or replace_partition"),
        ({"mode": "merge"}, "mode merge needs key="),
        ({"mode": "replace_partition"}, "partition_by= .* belong together"),
        ({"partition_by": "n"}, "partition_by= .* belong together"),
        ({"schema": "drop"}, "schema is 'drop', and can be extend or recreate"),
        ({"name": "Not A Name"}, "cannot name a report"),
    ],
)
def test_a_wrong_report_is_a_sentence(desk: Desk, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadDeclaration, match=message):
        desk.context.report(**{"name": "numbers", "rows": FRAME, "checks": [rows(min=1)], **arguments})


def test_without_a_fence_nothing_is_staged() -> None:
    with pytest.raises(DatabaseUnavailable, match="report database does not answer: it was away when this attempt"):
        Desk(may_stage=False).context.report("numbers", FRAME)
    with pytest.raises(DatabaseUnavailable):
        Desk(may_stage=False, reports=("numbers",)).context.prepare()
    Desk(may_stage=False).context.prepare()  # it may write none


def test_a_database_that_is_not_configured_is_named() -> None:
    run = Desk(configured=False).context
    with pytest.raises(NotConfigured, match=r"run.read needs PROD_DB_URL"):
        run.read("SELECT 1")
    with pytest.raises(NotConfigured, match=r"run.report needs REPORT_DB_URL"):
        run.report("numbers", FRAME)
    run.close()


def test_metrics_progress_and_notes_are_told(desk: Desk) -> None:
    run = desk.context
    run.metric("rows", 3)
    run.metric("share", pl.Series([0.5]).mean())  # type: ignore[arg-type]
    run.progress(0.5, "half")
    run.progress(1.0000001)
    run.progress(float("nan"))
    run.note("x" * 20_000)
    assert [data for _, data in desk.told[:5]] == [
        {"name": "rows", "value": 3},
        {"name": "share", "value": 0.5},
        {"fraction": 0.5, "text": "half"},
        {"fraction": 1.0},
        {"fraction": 0.0},
    ]
    assert desk.told[5][1]["text"].endswith("cut after 16384 of 20000 characters")
    with pytest.raises(ValueError, match="metric x is nan"):
        run.metric("x", float("nan"))


def test_an_abandoned_context_does_nothing_more(desk: Desk) -> None:
    scan = desk.context.scan("SELECT * FROM flights", batch=1)
    next(scan)
    desk.context.abandon()
    calls: list[Callable[[], object]] = [
        lambda: next(scan),
        lambda: desk.context.read("SELECT 1"),
        lambda: desk.context.report("numbers", FRAME),
        lambda: desk.context.note("x"),
        lambda: desk.context.source_done(),
    ]
    for call in calls:
        with pytest.raises(Abandoned):
            call()
    assert (desk.told, desk.staged()) == ([], {})


def test_what_is_said_of_a_report_arrives_with_its_rows(desk: Desk) -> None:
    desk.context.report("a", FRAME, mode="replace_partition", partition_by="id", schema="recreate")
    desk.context.report("b", FRAME, mode="merge", key=["id"])
    specs = {one.staged.spec.name: one.staged.spec for one in desk.database.versions.values()}
    assert (specs["a"].mode, specs["a"].partition_by, specs["a"].schema) == ("replace_partition", ("id",), "recreate")
    assert (specs["b"].mode, specs["b"].key, specs["b"].schema) == ("merge", ("id",), "extend")
