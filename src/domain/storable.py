"""What every adapter of RunLog does to a value first, so that a record always goes in (FAULTS D17).

PostgreSQL refuses NUL in text and half a surrogate pair in UTF-8, and JSON knows no NaN. A record with one of
these is worth more than no record, so they are replaced, visibly.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

TEXT_LIMIT = 64 * 1024
"""The most characters of one text; what is longer is cut in the middle, and says so."""

JSON_LIMIT = 1024 * 1024
"""The most characters and values of one JSON document, roughly; the rest is left out, and a marker says so."""

DEPTH_LIMIT = 64
LEFT_OUT = "… left out …"
LONGEST = 100 * 365 * 86_400.0
"""No duration is longer than this, in seconds: clocks and calendars end somewhere."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_INT64 = 2**63
_INT_BITS = 13_000  # beyond about 4,000 digits Python itself refuses to write an int as text


def storable(value: T) -> T:
    """The value as every adapter keeps it; what has nothing wrong comes back equal.

    Structs are walked: their texts are mended, ints are held to 64 bits, a float that is no number gives way to
    the field's default (or 0), and a dict is taken for JSON, where NaN and infinities become texts.
    """
    return _mended(value, None)  # type: ignore[no-any-return]


def storable_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """``text`` without NUL (shown as ``␀``) and lone surrogates (shown as ``\\udXXX``), cut to ``limit``."""
    if len(text) > 4 * limit:  # no more work than is needed on an endless text
        text = _cut(text, 4 * limit)
    text = _UNSTORABLE.sub(_shown, str(text))
    return text if len(text) <= limit else _cut(text, limit)


def seconds(value: float) -> float:
    """A duration that calendars can hold: at least 0, at most ``LONGEST``; NaN is 0."""
    return min(max(value, 0.0), LONGEST) if value == value else 0.0


def _mended(value: Any, default: Any) -> Any:
    if isinstance(value, Enum | bool) or value is None:
        return value
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, msgspec.Struct):
        changes = {}
        for name, instead in _fields(type(value)):
            before = getattr(value, name)
            after = _mended(before, instead)
            if after is not before:
                changes[name] = after
        return msgspec.structs.replace(value, **changes) if changes else value
    if isinstance(value, dict):
        return _json(value, 0, [JSON_LIMIT])
    if isinstance(value, tuple):
        return tuple(_mended(item, None) for item in value)
    if isinstance(value, float):
        return value if math.isfinite(value) else default
    if isinstance(value, int):
        return min(max(value, -_INT64), _INT64 - 1)
    return value


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """Each field, and what replaces a number that is none. Kept: msgspec evaluates every annotation anew."""
    return tuple(
        (field.name, 0.0 if field.default is msgspec.NODEFAULT else field.default)
        for field in msgspec.structs.fields(kind)
    )


def _json(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _INT_BITS else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict | list | tuple | set | frozenset):
        return LEFT_OUT if depth >= DEPTH_LIMIT else _container(value, depth + 1, left)
    text = storable_text(value if isinstance(value, str) else str(value))
    left[0] -= len(text)
    return text


def _container(value: Any, depth: int, left: list[int]) -> Any:
    if isinstance(value, dict):
        named: dict[str, Any] = {}
        for key, item in value.items():
            if left[0] <= 0:
                named["…"] = LEFT_OUT
                break
            name = storable_text(str(key.value if isinstance(key, Enum) else key))
            left[0] -= len(name)
            named[name] = _json(item, depth, left)
        return named
    listed: list[Any] = []
    for item in value:
        if left[0] <= 0:
            listed.append(LEFT_OUT)
            break
        listed.append(_json(item, depth, left))
    return listed


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    return "␀" if character == "\0" else f"\\u{ord(character):04x}"


def _cut(text: str, limit: int) -> str:
    half = limit // 2 - 40
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
