"""The promises of a declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...domain.errors import BadDeclaration
from ...domain.promise import Promises
from ...domain.report import check_report_name
from .durations import Duration, seconds_of

RowBounds = tuple[int | None, int | None]
"""The fewest and the most rows; None where there is no such bound."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def promises_of(
    *,
    finish_by: Duration | None,
    run_at_most: Duration | None,
    fresh_within: Duration | Mapping[str, Duration] | None,
    rows_between: Mapping[str, RowBounds] | None,
    reports: tuple[str, ...] | None,
    schedule: Any,
    where: str,
) -> Promises:
    """What is promised; raises :class:`BadDeclaration` for what nobody could keep or check."""
    if finish_by is not None and schedule is None:
        raise BadDeclaration(f"{where}: finish_by is about slots, and without a schedule there are none")
    at_clock = isinstance(finish_by, str) and ":" in finish_by
    if at_clock and not _CLOCK.fullmatch(str(finish_by)):
        raise BadDeclaration(f"{where}: finish_by is {finish_by!r}; write a time like 07:00, or a duration like 2h")
    return Promises(
        finish_at=str(finish_by) if at_clock else None,
        finish_after=None if finish_by is None or at_clock else _positive(finish_by, "finish_by", where),
        run_at_most=None if run_at_most is None else _positive(run_at_most, "run_at_most", where),
        fresh_within=_fresh(fresh_within, reports, where),
        rows_between=_rows(rows_between, reports, where),
    )


def _positive(value: Duration, what: str, where: str) -> float:
    seconds = seconds_of(value, what, where)
    if not 0 < seconds < float("inf"):
        raise BadDeclaration(f"{where}: {what} is {value!r}, which leaves no time")
    return seconds


def _fresh(
    told: Duration | Mapping[str, Duration] | None, reports: tuple[str, ...] | None, where: str
) -> dict[str, float]:
    if told is None:
        return {}
    if isinstance(told, Mapping):
        _check(told, reports, "fresh_within", where)
        return {report: _positive(value, f"fresh_within of {report}", where) for report, value in told.items()}
    if not reports:
        raise BadDeclaration(
            f"{where}: fresh_within is about reports; name them in reports=, or write fresh_within={{'report': '26h'}}"
        )
    seconds = _positive(told, "fresh_within", where)
    return dict.fromkeys(reports, seconds)


def _rows(told: Mapping[str, RowBounds] | None, reports: tuple[str, ...] | None, where: str) -> dict[str, RowBounds]:
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        raise BadDeclaration(f"{where}: rows_between is {told!r}; write it like {{'report': (1000, None)}}")
    _check(told, reports, "rows_between", where)
    for report, bounds in told.items():
        problem = _problem(bounds)
        if problem is not None:
            raise BadDeclaration(
                f"{where}: rows_between of {report} is {bounds!r}, {problem}; write the fewest and the most rows, like "
                "(1000, None)"
            )
    return {report: (bounds[0], bounds[1]) for report, bounds in told.items()}


def _problem(bounds: Any) -> str | None:
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        return "which are no two bounds"
    if any(bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)) for bound in bounds):
        return "and rows are counted in whole numbers"
    fewest, most = bounds
    if fewest is None and most is None:
        return "which promises nothing"
    if (fewest or 0) < 0 or (most is not None and most < (fewest or 0)):
        return "which no report can keep"
    return None


def _check(told: Mapping[str, Any], reports: tuple[str, ...] | None, what: str, where: str) -> None:
    for report in told:
        try:
            check_report_name(report)
        except (BadDeclaration, TypeError) as error:
            raise BadDeclaration(f"{where}: {what}: {error}") from None
        if reports is not None and report not in reports:
            listed = ", ".join(reports) or "none"
            raise BadDeclaration(
                f"{where}: {what} names report {report}, which is not among those that it writes ({listed})"
            )
