"""Requests that schemathesis makes of our own OpenAPI document, and what no answer may be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

import polars as pl
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kubescribe.domain.access import Role
from tests.support.api_world import ApiWorld
from tests.support.report_worlds import memory_world

ROWS = pl.DataFrame(
    {
        "k": [1, 2, 3],
        "t": ["=1+1", "b", None],
        "n": [Decimal("0.10"), None, Decimal("12345678.90")],
        "f": [0.5, float("nan"), None],
        "b": [True, False, None],
        "day": [date(2026, 3, 1), None, date(1, 1, 1)],
        "bytes": [b"\x00\xff", b"", None],
        "at": [datetime(2026, 3, 1, 5, tzinfo=UTC), None, datetime(9999, 12, 31, tzinfo=UTC)],
    }
)
SIGNS = ("=", "!=", "<", "<=", ">", ">=", "~", " in ", " is null", " is not null")
ACCEPTS = ("application/json", "text/csv", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Target(Protocol):
    """An API that has a pipeline ``totals``, and two versions of a report of that name with the rows of ``ROWS``."""

    def schema(self) -> Any:
        """Its document, as schemathesis reads it."""
        ...

    def run(self) -> str:
        """The id of a run that is on record."""
        ...

    def asked(self) -> None:
        """A request was answered."""
        ...


class MemoryTarget:
    """In memory."""

    def __init__(self) -> None:
        self.world = ApiWorld()
        reports = memory_world(self.world.reports)
        for frame in (ROWS, ROWS.head(2)):
            attempt = reports.attempt()
            attempt.publish(attempt.stage(frame, "totals", key=("k",)))

    def schema(self) -> Any:
        """See the protocol."""
        return schemathesis.openapi.from_asgi("/schema", self.world.app, headers=self.world.as_(Role.ADMIN))

    def run(self) -> str:
        """See the protocol."""
        return str(next(iter(self.world.database.runs), None) or self.world.run_soon())

    def asked(self) -> None:
        """How often somebody may ask is another test's matter, and pages stay as long as they are now."""
        self.world.clock.advance(1)
        if len(self.world.database.runs) > 200:
            self.world.forget_runs()


def fuzz(target: Target, headers: dict[str, str], requests: int, number: int) -> tuple[Counter[int], list[str]]:
    """Make about so many requests; the statuses, and a sentence for each kind of answer that must not be."""
    schema = target.schema()
    operations = [one.ok() for one in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    wrong: dict[str, str] = {}
    each = max(1, requests // (2 * len(operations)))

    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(number)
            @settings(
                max_examples=each,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                _aim(case, target, statuses.total())
                answer = case.call(headers=headers)
                statuses[answer.status_code] += 1
                target.asked()
                what = f"{case.method} {case.formatted_path} {case.query} {str(case.body)[:200]}"
                if answer.status_code >= 500:
                    wrong.setdefault(f"{case.method} {case.path} {answer.status_code}", what)
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as group:
                    for failure in group.exceptions:
                        title = getattr(failure, "title", str(failure))
                        wrong.setdefault(
                            f"{case.method} {case.path} {answer.status_code} {title}", f"{what}\n{failure}"[:1500]
                        )

            try:
                ask()
            except Exception as error:  # nothing of the kind can be made: a schema that allows everything
                if "Unsatisfiable" not in type(error).__name__:
                    raise
    return statuses, [f"{name}\n  {what}" for name, what in wrong.items()]


def _aim(case: Any, target: Target, count: int) -> None:
    """Every other request is about something that is there: made-up names and ids alone would all end in a 404."""
    if isinstance(case.query, dict):
        case.query.pop("follow", None)  # a stream would go on as long as its run does
    if count % 2:
        return
    if isinstance(case.body, dict) and "pipeline" in case.body:
        case.body["pipeline"] = "totals"
        if count % 4:
            case.body.pop("parameters", None)
    if "run_id" in (case.path_parameters or {}):
        case.path_parameters["run_id"] = target.run()
    if "name" in (case.path_parameters or {}):
        case.path_parameters["name"] = "totals"
    if case.path == "/reports/{name}/rows":
        _aim_at_rows(case, count // 2)


def _aim_at_rows(case: Any, count: int) -> None:
    """Questions about columns that there are: what was made up is what they are compared with."""
    case.headers = {**(case.headers or {}), "Accept": ACCEPTS[count % len(ACCEPTS)]}
    query = case.query if isinstance(case.query, dict) else {}
    made_up = query.get("where")
    if isinstance(made_up, list):
        columns = ROWS.columns
        query["where"] = [
            f"{columns[(count + place) % len(columns)]}{SIGNS[count // 3 % len(SIGNS)]}{text}"
            for place, text in enumerate(made_up[:32])
        ]
    for name in ("columns", "sort", "version", "as_of_run", "cursor"):  # else nearly nothing ever gets that far
        if count % 3 and name in query:
            del query[name]
