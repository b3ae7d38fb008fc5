"""Publications in every mode, for tests of what disturbs them; and what must hold of a report whatever was done."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl

from kubescribe.domain.mode import Mode

from .publishing import Attempt, World, run

MODES: dict[str, dict[str, Any]] = {
    "replace": {"mode": Mode.REPLACE},
    "append": {"mode": Mode.APPEND},
    "merge": {"mode": Mode.MERGE, "key": ("k",)},
    "replace_partition": {"mode": Mode.REPLACE_PARTITION, "partition_by": ("p",)},
}
IN_PLACE = [name for name in MODES if name != "replace"]


def rows(number: int) -> pl.DataFrame:
    """What run ``number`` writes: key 0 and partition ``all`` are everybody's, the rest its own."""
    return pl.DataFrame(
        {"k": [0, number * 10, number * 10 + 1], "p": ["all", f"p{number}", None], "by": [f"run {number}"] * 3}
    )


def published_at_once(world: World, mode: str, how_many: int, report: str = "airports") -> list[int]:
    """So many runs, numbered from 1, publish the report in the same moment; their numbers in the ledger's order."""
    attempts = [world.attempt() for _ in range(how_many)]
    staged = [one.stage(rows(number), report, **MODES[mode]) for number, one in enumerate(attempts, 1)]

    async def all_at_once() -> None:
        await asyncio.gather(
            *(world.publisher.publish(one.request, (item,)) for one, item in zip(attempts, staged, strict=True))
        )

    run(all_at_once())
    numbers = {one.run_id: number for number, one in enumerate(attempts, 1)}
    return [numbers[row.run_id] for row in reversed(run(world.catalogue.ledger(report))) if row.run_id in numbers]


def replayed(mode: str, order: list[int]) -> list[tuple[Any, ...]]:
    """The rows of a report that these runs published one after the other."""
    there: list[tuple[Any, ...]] = []
    for number in order:
        new = rows(number).rows()
        match mode:
            case "replace":
                there = []
            case "merge":
                there = [row for row in there if row[0] not in {one[0] for one in new}]
            case "replace_partition":
                there = [row for row in there if row[1] not in {one[1] for one in new}]
        there += new
    return sorted(there, key=str)


def expect_whole(world: World, mode: str, attempts: dict[Any, int], report: str = "airports") -> None:
    """The report is what its ledger says, replayed in the ledger's order. ``attempts``: the number of each run."""
    ledger = run(world.catalogue.ledger(report))[::-1]
    order = [attempts[row.run_id] for row in ledger]
    assert sorted(world.read(report) or (), key=str) == replayed(mode, order)
    assert run(world.catalogue.verify(report)).differences == ()


def numbered(attempt: Attempt, number: int, mode: str, report: str = "airports") -> Any:
    """What attempt ``number`` stages."""
    return attempt.stage(rows(number), report, **MODES[mode])
