"""Lengths of time as Go's ``time.ParseDuration`` reads them: what may stand behind ``@every``."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "μs": 1_000,  # the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^.0-9]*)")
_MOST = 2**63


def nanoseconds(text: str) -> int:
    """The duration written as ``90m``, ``1h30m`` or ``1.5h``; ``ValueError`` says what cannot be read.

    A bare number other than 0 is refused, and so are days: Go has no unit for them.
    """
    sign, rest = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if rest == "0":
        return 0
    if not rest:
        raise ValueError("the duration is missing; write one like 90m or 1h30m")
    total = at = 0
    while at < len(rest):
        term = _TERM.match(rest, at)
        assert term is not None  # every part of it may be empty
        whole, fraction, unit = term.groups()
        if not whole and not fraction:
            raise ValueError(f"{text!r} is no duration; write one like 90m or 1h30m")
        if unit not in _UNITS:
            wrong = f"has the unit {unit!r}" if unit else "lacks a unit"
            raise ValueError(f"the duration {text!r} {wrong}; the units are h, m, s, ms, us and ns")
        total += _within(_whole(whole, text) * _UNITS[unit] + _part(fraction or "", _UNITS[unit]), text)
        at = term.end()
    _within(total, text)
    if sign == "-":
        return -total
    return _within(total, text, _MOST - 1)


def _whole(digits: str, text: str) -> int:
    digits = digits.lstrip("0")
    if len(digits) > 19:
        raise ValueError(_too_long(text))
    return int(digits or "0")


def _part(digits: str, unit: int) -> int:
    """A fraction of the unit, by the same rounding: as many digits as 63 bits hold, and floats."""
    value, scale = 0, 1.0
    for digit in digits:
        if value > (_MOST - 1) // 10 or value * 10 + int(digit) > _MOST:
            break
        value, scale = value * 10 + int(digit), scale * 10
    return int(value * (unit / scale))


def _within(value: int, text: str, most: int = _MOST) -> int:
    if value > most:
        raise ValueError(_too_long(text))
    return value


def _too_long(text: str) -> str:
    return f"the duration {text!r} is longer than the 292 years that Go counts"
