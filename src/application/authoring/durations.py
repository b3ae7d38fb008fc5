"""Lengths of time in a declaration."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from ...domain.duration import parse_duration
from ...domain.errors import BadDeclaration, BadDuration

Duration = str | int | float | timedelta
"""Seconds, or text such as ``90s``, ``10m``, ``1h30m``."""


def seconds_of(value: Duration, what: str, where: str) -> float:
    """The seconds of the argument ``what``; raises :class:`BadDeclaration`, saying ``where`` it is."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        return float(value)
    try:
        return parse_duration(cast(str, value)).total_seconds()
    except (BadDuration, AttributeError, TypeError):
        raise BadDeclaration(
            f"{where}: {what} is {value!r}, which is no duration; write seconds, or text like 90s, 10m, 1h30m"
        ) from None
