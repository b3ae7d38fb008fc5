"""One text for each JSON value: what is hashed must not depend on who wrote it down (docs/audit.md)."""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any


def canonical_json(value: Any) -> str:
    """The value without spaces, its keys in the order of their code points, its numbers in plain digits.

    A number keeps the digits that it has: ``1.0`` and ``1.00`` differ, as they do where they are stored. Raises
    :class:`TypeError` for what is no JSON, and :class:`RecursionError` for what no program of ours has nested.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return encode_basestring(value)  # escapes the quote, the backslash and control characters, and no more
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        # As RunLog stores it: large ones with one digit behind the point, all others as Python writes them.
        value = Decimal(format(value, ".1f") if abs(value) >= 1e15 else repr(value))
    if isinstance(value, Decimal):
        return format(value if value else abs(value), "f")  # there is no minus zero
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical_json, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{canonical_json(value[key])}" for key in sorted(value)) + "}"
    raise TypeError(f"{type(value).__name__} is no JSON")
