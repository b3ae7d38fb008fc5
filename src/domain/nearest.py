"""What was probably meant by a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the known name nearest to the word, or nothing when none is near."""
    from difflib import get_close_matches  # only a mistake pays for the import

    found = get_close_matches(word, list(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""
