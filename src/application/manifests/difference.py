"""What differs between two sets of texts, as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff


def difference(there: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """A unified diff from what is there to what is wanted, by name; empty where nothing differs."""
    return "".join(
        "".join(
            unified_diff(
                there.get(name, "").splitlines(keepends=True),
                wanted.get(name, "").splitlines(keepends=True),
                f"there/{name}" if name in there else "/dev/null",
                f"declared/{name}" if name in wanted else "/dev/null",
            )
        )
        for name in sorted({*there, *wanted})
        if there.get(name) != wanted.get(name)
    )
