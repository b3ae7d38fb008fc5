"""The values of a report's columns, and their text: the same in JSON, CSV, filters and cursors."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID

import msgspec

from .errors import BadRowQuery
from .report import Column

Value = bool | int | float | Decimal | str | date | datetime | time | timedelta | bytes | UUID | None
"""A ``timestamp with time zone`` is aware and in UTC, a ``timestamp without time zone`` naive.

What Python's type cannot hold (an infinite date, one before Christ, an interval of months) is its server's text.
"""

LONGEST_TEXT = 10_000
"""Characters of a value in a query."""


class Kind(StrEnum):
    """What a column's values are."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    MOMENT = "moment"
    """A point in time: ``timestamp with time zone``."""
    INTERVAL = "interval"
    BYTES = "bytes"
    UUID = "uuid"
    OTHER = "other"
    """Any other type, as its text: looked at, found by it and ordered by it."""


_KINDS = {
    "smallint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "real": Kind.FLOAT,
    "double precision": Kind.FLOAT,
    "boolean": Kind.BOOLEAN,
    "text": Kind.TEXT,
    "character varying": Kind.TEXT,
    "date": Kind.DATE,
    "time without time zone": Kind.TIME,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamp with time zone": Kind.MOMENT,
    "interval": Kind.INTERVAL,
    "bytea": Kind.BYTES,
    "uuid": Kind.UUID,
}
_MODIFIER = re.compile(r"\([0-9]+\)")
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_NUMERIC = re.compile(r"numeric(?:\(([0-9]+),(-?[0-9]+)\))?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_FLOAT = re.compile(rf"{_DECIMAL.pattern}|[+-]?(?:inf|infinity)|nan", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_TIME = re.compile(_CLOCK, re.ASCII)
_TIMESTAMP = re.compile(rf"{_DATE.pattern}(?:[T ]{_CLOCK})?", re.ASCII)
_MOMENT = re.compile(rf"{_DATE.pattern}[T ]{_CLOCK}(?:[Zz]|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)", re.ASCII)
_INTERVAL = re.compile(
    r"[+-]?P(?:[0-9]{1,9}D)?(?:T(?=[0-9])(?:[0-9]{1,12}H)?(?:[0-9]{1,12}M)?(?:[0-9]{1,15}(?:\.[0-9]{1,6})?S)?)?",
    re.ASCII,
)
_BYTES = re.compile(r"\\x(?:[0-9a-fA-F]{2})*", re.ASCII)
_SERVERS = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.MOMENT, Kind.INTERVAL})
_SERVERS_TEXT = re.compile(r"[0-9A-Za-z:. +-]{1,60}", re.ASCII)
_SERVER_INTERVAL = re.compile(
    r"P(?:(-?[0-9]+)D)?(?:T(?:(-?[0-9]+)H)?(?:(-?[0-9]+)M)?(?:(-?[0-9]+(?:\.[0-9]+)?)S)?)?", re.ASCII
)
_EXPECTED = {
    Kind.INTEGER: "a whole number",
    Kind.DECIMAL: "a number like -12.50",
    Kind.FLOAT: "a number like 1.5e-3, NaN, Infinity or -Infinity",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a date like 2026-11-21",
    Kind.TIME: "a time like 13:45:00.5",
    Kind.TIMESTAMP: "a date and time without a zone, like 2026-11-21T13:45:00",
    Kind.MOMENT: "a date and time with its offset from UTC, like 2026-11-21T13:45:00Z",
    Kind.INTERVAL: "an ISO 8601 duration of days and less, like P1DT2H30M0.5S",
    Kind.BYTES: r"bytes in hexadecimal, like \x0aff",
    Kind.UUID: "a UUID",
}


def kind_of(column: Column) -> Kind:
    """What the column's values are."""
    if _NUMERIC.fullmatch(column.type):
        return Kind.DECIMAL
    return _KINDS.get(_MODIFIER.sub("", column.type, count=1), Kind.OTHER)


def precision_of(column: Column) -> tuple[int, int] | None:
    """Precision and scale of a ``numeric(p,s)``; None for any other type."""
    match = _NUMERIC.fullmatch(column.type)
    return (int(match[1]), int(match[2])) if match and match[1] else None


def parse_value(column: Column, text: str) -> Value:
    """The value that ``text`` says; raises :class:`BadRowQuery` with what the column takes."""
    kind = kind_of(column)
    if len(text) > LONGEST_TEXT:
        raise BadRowQuery(f"the value for column {column.name} is longer than {LONGEST_TEXT} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRowQuery(f"the value for column {column.name} holds a NUL or half a character, which no text here can")
    if kind in (Kind.TEXT, Kind.OTHER):
        return text
    try:
        return _PARSE[kind](text, column)
    except (ValueError, OverflowError, InvalidOperation, msgspec.ValidationError):
        shown = text if len(text) <= 60 else text[:57] + "…"
        raise BadRowQuery(
            f"{shown!r} is no value for column {column.name}, which is {column.type}: give {_expected(column)}"
        ) from None


def text_of(value: Value) -> str | None:
    """The value as text that :func:`parse_value` reads back as the same value; None for null.

    Moments are in UTC and end in ``Z``; bytes are ``\\x`` and hexadecimal; durations are ISO 8601.
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _float_text(value)
        case Decimal():
            return format(value, "f") if value.is_finite() else _float_text(float(value))
        case datetime():
            return _moment_text(value) if value.tzinfo else value.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _interval_text(value)
        case bytes():
            return "\\x" + value.hex()
        case _:
            return str(value)


def parse_position(column: Column, text: str) -> Value:
    """As :func:`parse_value`, and what only the server can hold too: for a place in an order, which came from there."""
    try:
        return parse_value(column, text)
    except BadRowQuery:
        kind = kind_of(column)
        if kind in _SERVERS and _SERVERS_TEXT.fullmatch(text):
            return text
        if kind is Kind.DECIMAL and text in ("NaN", "Infinity", "-Infinity"):
            return Decimal(text)
        raise


def value_of_text(kind: Kind, text: str | None) -> Value:
    """The value that a server wrote: dates in ISO and UTC, intervals in ISO 8601. What Python lacks stays text."""
    if text is None:
        return None
    try:
        match kind:
            case Kind.DATE:
                return date.fromisoformat(text) if len(text) == 10 else text
            case Kind.TIME:
                return time.fromisoformat(text)
            case Kind.TIMESTAMP:
                return datetime.fromisoformat(text)
            case Kind.MOMENT:
                return datetime.fromisoformat(text).astimezone(UTC)
            case Kind.INTERVAL:
                return _server_interval(text)
    except (ValueError, OverflowError):
        pass
    return text


def _server_interval(text: str) -> Value:
    match = _SERVER_INTERVAL.fullmatch(text)
    if match is None:
        return text  # with months, which have no length
    days, hours, minutes = (int(part or 0) for part in match.groups()[:3])
    microseconds = int(Decimal(match[4] or 0) * 1_000_000)
    return timedelta(days=days, hours=hours, minutes=minutes, microseconds=microseconds)


def _expected(column: Column) -> str:
    if column.type in _BITS:
        most = 2 ** _BITS[column.type]
        return f"a whole number from {-most} to {most - 1}"
    return _EXPECTED[kind_of(column)]


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(text)
    return text


def _integer(text: str, column: Column) -> int:
    value = int(_matched(_INTEGER, text))
    if not -(2 ** _BITS[column.type]) <= value < 2 ** _BITS[column.type]:
        raise ValueError(text)
    return value


def _decimal(text: str, _: Column) -> Decimal:
    return Decimal(_matched(_DECIMAL, text))


def _float(text: str, column: Column) -> float:
    value = float(_matched(_FLOAT, text))
    if math.isinf(value) and "inf" not in text.lower():
        raise ValueError(text)
    if column.type == "real":
        value = struct.unpack("<f", struct.pack("<f", value))[0]  # OverflowError for what a real cannot hold
    return value


def _boolean(text: str, _: Column) -> bool:
    return {"true": True, "false": False}[_matched(re.compile("true|false"), text.lower())]


def _date(text: str, _: Column) -> date:
    return date.fromisoformat(_matched(_DATE, text))


def _time(text: str, _: Column) -> time:
    return time.fromisoformat(_matched(_TIME, text))


def _timestamp(text: str, _: Column) -> datetime:
    return datetime.fromisoformat(_matched(_TIMESTAMP, text))


def _moment(text: str, _: Column) -> datetime:
    return datetime.fromisoformat(_matched(_MOMENT, text).upper()).astimezone(UTC)


def _interval(text: str, _: Column) -> timedelta:
    if not text.strip("+-P"):
        raise ValueError(text)
    return msgspec.convert(_matched(_INTERVAL, text).lstrip("+"), timedelta, strict=False)


def _bytes(text: str, _: Column) -> bytes:
    return bytes.fromhex(_matched(_BYTES, text)[2:])


_PARSE: dict[Kind, Callable[[str, Column], Value]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.TIMESTAMP: _timestamp,
    Kind.MOMENT: _moment,
    Kind.INTERVAL: _interval,
    Kind.BYTES: _bytes,
    Kind.UUID: lambda text, _: UUID(text),
}


def _float_text(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _moment_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _interval_text(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    seconds = f"{value.seconds}.{value.microseconds:06}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}D" + (f"T{seconds}S" if seconds != "0" else "")
