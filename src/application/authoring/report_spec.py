"""What an author says of a report, checked before a row is taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ...domain.checks import Check
from ...domain.errors import BadDeclaration, ReportUndeclared
from ...domain.mode import Mode, SchemaRule
from ...domain.report import ReportSpec


def report_spec(
    name: str,
    declared: tuple[str, ...] | None,
    *,
    key: str | Iterable[str],
    checks: Check | Iterable[Check],
    mode: str,
    partition_by: str | Iterable[str],
    schema: str,
) -> ReportSpec:
    """The specification; raises :class:`ReportUndeclared`, and :class:`BadDeclaration` with what can be said instead.

    ``declared``: the reports that the pipeline declares; None: it may write any.
    """
    if declared is not None and name not in declared:
        raise ReportUndeclared(name, declared)
    every: tuple[Any, ...] = (checks,) if isinstance(checks, msgspec.Struct) else tuple(checks)
    for check in every:
        if not isinstance(check, Check):
            raise BadDeclaration(
                f"report {name}: {check!r} is no check; use unique, not_null, rows, between or sql of kubescribe"
            )
    for what, value, known in (("mode", mode, Mode), ("schema", schema, SchemaRule)):
        if value not in list(known):
            raise BadDeclaration(f"report {name}: {what} is {value!r}, and can be {' or '.join(known)}")
    return ReportSpec(
        name=name,
        key=_names(key),
        checks=every,
        mode=Mode(mode),
        partition_by=_names(partition_by),
        schema=SchemaRule(schema),
    )


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
