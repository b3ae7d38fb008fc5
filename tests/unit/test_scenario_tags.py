"""A scenario that is left out somewhere says why."""

from __future__ import annotations

from pathlib import Path

FEATURES = Path(__file__).parents[2] / "features"


def test_what_is_not_played_on_a_cluster_says_why() -> None:
    lines = [line.strip() for file in sorted(FEATURES.glob("*.feature")) for line in file.read_text().splitlines()]
    before = [lines[place - 1] for place, line in enumerate(lines) if "@not_on_cluster" in line]
    assert before
    assert all(line.startswith("# Not on a cluster: ") for line in before), before
