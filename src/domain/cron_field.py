"""One field of a cron expression, as a set of numbers.

The rules are those of robfig/cron v3 (``getRange`` in its parser.go), which Kubernetes reads CronJobs with; what it
takes by laxity is taken here too, so that no expression fires there and is refused here. ``docs/schedule-vectors.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

STAR = 1 << 63
"""The bit of a set that was written ``*`` or ``?``, which the rule of the two day fields looks at; ``*/2`` has none."""

_INT64 = 2**63
_NUMBER = re.compile(r"[+-]?[0-9]+")


class Bounds(NamedTuple):
    """What a field may hold: from ``low`` to ``high``, or one of the names."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = {}

    @property
    def every(self) -> int:
        """The set of all its numbers, without the star."""
        return (2 << self.high) - (1 << self.low)


def _numbered(first: int, names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), first)}


MINUTE = Bounds("minute", 0, 59)
HOUR = Bounds("hour", 0, 23)
DAY = Bounds("day of month", 1, 31)
MONTH = Bounds("month", 1, 12, _numbered(1, "jan feb mar apr may jun jul aug sep oct nov dec"))
WEEKDAY = Bounds("day of week", 0, 6, _numbered(0, "sun mon tue wed thu fri sat"))


def field_set(text: str, bounds: Bounds) -> int:
    """The field's numbers as bits, with ``STAR`` where it has one; ``ValueError`` says which part is wrong and why.

    Commas alone are an empty set, which never comes: the library takes them too.
    """
    found = 0
    for part in filter(None, text.split(",")):
        try:
            found |= _part_set(part, bounds)
        except ValueError as error:
            where = repr(part) if part == text else f"{part!r} in {text!r}"
            raise ValueError(f"{bounds.name} {where}: {error}") from None
    return found


def numbers(bits: int) -> Iterator[int]:
    """The numbers of a set, rising."""
    return (number for number in range(60) if bits >> number & 1)


def _part_set(part: str, bounds: Bounds) -> int:
    span, *steps = part.split("/")
    first, *rest = span.split("-")
    star = 0
    if first in ("*", "?"):  # whatever follows a hyphen here is not even looked at
        low, high, star = bounds.low, bounds.high, STAR
    else:
        if len(rest) > 1:
            raise ValueError("it has more than one hyphen")
        low = _number_or_name(first, bounds)
        high = _number_or_name(rest[0], bounds) if rest else low
    step = 1
    if steps:
        if len(steps) > 1:
            raise ValueError("it has more than one slash")
        step = _number(steps[0], "a step is a number")
        if not rest:  # 5/15 goes on to the field's end
            high = bounds.high
        if step > 1:
            star = 0
    _check(low, high, step, bounds)
    return sum(1 << number for number in range(low, high + 1, step)) | star


def _check(low: int, high: int, step: int, bounds: Bounds) -> None:
    allowed = f"allowed is {bounds.low} to {bounds.high}"
    if low < bounds.low:
        raise ValueError(f"{low} is too low; {allowed}")
    if max(low, high) > bounds.high:
        sunday = ", and Sunday is 0" if bounds is WEEKDAY and max(low, high) == 7 else ""
        raise ValueError(f"{max(low, high)} is too high; {allowed}{sunday}")
    if low > high:
        raise ValueError(
            f"the range runs backwards; write {low}-{bounds.high},{bounds.low}-{high} if it goes round the end"
        )
    if step == 0:
        raise ValueError("a step of 0 goes nowhere")


def _number_or_name(text: str, bounds: Bounds) -> int:
    # Go lowers a dotted capital I to one letter, Python to two.
    named = bounds.names.get(text.replace("İ", "i").lower())
    if named is not None:
        return named
    names = [*bounds.names]
    hint = f", or {names[0].upper()} to {names[-1].upper()}" if names else ""
    return _number(text, f"allowed is {bounds.low} to {bounds.high}{hint}")


def _number(text: str, wanted: str) -> int:
    """A number as Go's ``Atoi`` reads it: ASCII digits, perhaps a plus, at most 64 bits."""
    if not text:
        raise ValueError(f"a number is missing; {wanted}")
    if not _NUMBER.fullmatch(text):
        extension = "; L, W and # are not known to Kubernetes" if re.search(r"[LW#]", text) else ""
        raise ValueError(f"{text!r} is no number; {wanted}{extension}")
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > 19 or int(digits or "0") >= _INT64:
        raise ValueError(f"{text} is too high; {wanted}")
    if text[0] == "-" and digits:
        raise ValueError(f"{text} is negative; {wanted}")
    return int(digits or "0")
