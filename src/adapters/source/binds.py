"""Python values on their way to the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ...domain.errors import QueryFailed

_SCALARS = (bool, int, float, str, datetime, date, time, timedelta, Decimal, UUID, bytes)


def bound(values: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    """The values as psycopg sends them with the right type; raises :class:`QueryFailed` for one it cannot.

    Whole numbers go as int4 if they fit, else int8, else numeric, so that the result's types do not hang on a small
    value's size. Text goes untyped, so that it serves wherever a literal would.
    """
    return {key: _bound(value, f"the bind :{key}", name) for key, value in values.items()}


def _bound(value: Any, what: str, name: str) -> Any:
    if hasattr(value, "to_list"):  # a polars Series
        value = value.to_list()
    if isinstance(value, (list, tuple, set, frozenset)):
        return _bound_list([_plain(item) for item in value], what, name)
    value = _plain(value)
    if value is None:
        return None
    _check(value, what, name)
    return _integer([value])(value) if _kind(value) is int else value


def _bound_list(items: list[Any], what: str, name: str) -> list[Any]:
    present = [item for item in items if item is not None]
    for item in present:
        _check(item, f"an element of {what}", name)
    kinds = {_kind(item) for item in present}
    convert: Callable[[Any], Any] = lambda item: item  # noqa: E731
    if kinds == {int}:
        convert = _integer(present)
    elif kinds in ({int, float}, {int, Decimal}):
        convert = (kinds - {int}).pop()
    elif len(kinds) > 1:
        raise QueryFailed(name, f"{what} is a list of {' and '.join(sorted(k.__name__ for k in kinds))}; use one type")
    return [None if item is None else convert(item) for item in items]


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _kind(value: Any) -> type:
    return next(kind for kind in _SCALARS if isinstance(value, kind))


def _check(value: Any, what: str, name: str) -> None:
    if not isinstance(value, _SCALARS):
        raise QueryFailed(
            name,
            f"{what} is of type {type(value).__name__}, which cannot be bound; use None, a bool, a number, text, "
            "a date or time, a UUID, bytes, or a list of one of them",
        )
    if isinstance(value, str) and "\0" in value:
        raise QueryFailed(name, f"{what} holds a NUL character, which no PostgreSQL text can hold")
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
        raise QueryFailed(name, f"{what} holds half a character (a lone surrogate), which no PostgreSQL text can hold")


def _integer(values: list[int]) -> Callable[[int], Any]:
    from psycopg.types.numeric import Int4, Int8

    bits = max((value if value >= 0 else ~value).bit_length() for value in values)
    return Int4 if bits < 32 else Int8 if bits < 64 else Decimal
