"""Conditions and orders on rows as a person writes them: ``--where`` and ``--sort``, and the same words in a query."""

from __future__ import annotations

import csv
import re

from ..domain.errors import BadRowQuery
from ..domain.report_query import Filter, Operator, Sort

_SIGNS = {
    "=": Operator.EQ,
    "!=": Operator.NE,
    "<": Operator.LT,
    "<=": Operator.LE,
    ">": Operator.GT,
    ">=": Operator.GE,
    "~": Operator.CONTAINS,
}
_COMPARED = re.compile(r"([^=<>!~]+?)(\s*)(!=|<=|>=|=|<|>|~)(.*)", re.DOTALL)
_NULL = re.compile(r"(.+?)\s+is\s+(not\s+)?null", re.IGNORECASE | re.DOTALL)
_LISTED = re.compile(r"(.+?)\s+in\s+(.+)", re.IGNORECASE | re.DOTALL)


def condition(text: str) -> Filter:
    """One condition; a space before the sign allows one after it. Raises :class:`BadRowQuery`."""
    if match := _COMPARED.fullmatch(text):
        name, space, sign, value = match.groups()
        return Filter(name.strip(), _SIGNS[sign], (value.removeprefix(" ") if space else value,))
    if match := _NULL.fullmatch(text.strip()):
        return Filter(match[1].strip(), Operator.IS_NULL, ("false" if match[2] else "true",))
    if match := _LISTED.fullmatch(text.strip()):
        return Filter(match[1].strip(), Operator.IN, tuple(next(csv.reader([match[2]]))))
    example = "day=2026-03-01, delay>=15, name~pole, 'code in A,B' or 'gate is null'"
    raise BadRowQuery(f"{text!r} is no condition; write one like {example}")


def order(text: str | None) -> tuple[Sort, ...]:
    """Names between commas; ``desc`` after a name, or a minus before it, turns it round."""
    return tuple(_sort(name) for name in names(text))


def _sort(text: str) -> Sort:
    match = re.fullmatch(r"(.+?)\s+(asc|desc)", text, re.IGNORECASE | re.DOTALL)
    if match:
        return Sort(match[1], match[2].lower() == "desc")
    return Sort(text.removeprefix("-"), text.startswith("-"))


def names(text: str | None) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(filter(None, (name.strip() for name in (text or "").split(","))))
