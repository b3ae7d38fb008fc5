"""Shortened run ids as ranges of an index."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

_LENGTH = 32
_HEX = re.compile(r"[0-9a-f]{1,32}")


class Range(NamedTuple):
    """The ids from ``first`` to ``last``: as UUIDs, both included, or as reversed text, the last one excluded."""

    first: str
    last: str
    from_behind: bool


def ranges(digits: str) -> tuple[Range, ...]:
    """The ids that begin, and those that end, with these hex digits; dashes may be left out. None for no digits."""
    digits = digits.replace("-", "").lower()
    if not _HEX.fullmatch(digits):
        return ()
    # Zeros in front put the dashes of the text where they are in a whole id.
    whole = str(UUID(digits.rjust(_LENGTH, "0")))
    start = next(
        place for place in range(len(whole)) if whole[place:].replace("-", "") == digits and whole[place] != "-"
    )
    behind = whole[start:][::-1]
    return (
        Range(digits.ljust(_LENGTH, "0"), digits.ljust(_LENGTH, "f"), from_behind=False),
        Range(behind, behind + "g", from_behind=True),  # "g" sorts after every digit and the dash
    )
