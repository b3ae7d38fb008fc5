"""Conditions and orders on rows as a person writes them: ``--where`` and ``--sort``, and the same words in a query."""

from __future__ import annotations

import csv
import io
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
# Each goes through a text once, for it comes from outside: none may go back and forth in it.
_SIGN = re.compile(r"!=|<=|>=|[=<>~]")
_NULL = re.compile(r"\sis\s+(not\s+)?null\Z", re.IGNORECASE)
_LISTED = re.compile(r"\sin\s", re.IGNORECASE)
_QUOTED_LENGTH = 200


def condition(text: str) -> Filter:
    """One condition; a space before the sign allows one after it. Raises :class:`BadRowQuery`."""
    plain = text.strip()
    if match := _SIGN.search(text):
        column, value = text[: match.start()], text[match.end() :]
        if column.strip():
            value = value.removeprefix(" ") if column[-1].isspace() else value
            return Filter(column.strip(), _SIGNS[match[0]], (value,))
    elif match := _NULL.search(plain):
        return Filter(plain[: match.start()].strip(), Operator.IS_NULL, ("false" if match[1] else "true",))
    elif (match := _LISTED.search(plain)) and (values := _listed(plain[match.end() :].strip())):
        return Filter(plain[: match.start()].strip(), Operator.IN, values)
    example = "day=2026-03-01, delay>=15, name~pole, 'code in A,B' or 'gate is null'"
    raise BadRowQuery(f"{text[:_QUOTED_LENGTH]!r} is no condition; write one like {example}")


def _listed(text: str) -> tuple[str, ...]:
    """The values between the commas of one line; none where it is more than one."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:  # too long for a value, or ended in its middle
        return ()
    return tuple(lines[0]) if len(lines) == 1 else ()


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
