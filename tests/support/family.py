"""What a run of the fault tests publishes: reports in every mode, with rows that say by which run they were made.

Plain Python, so that the pipeline that publishes and the model that foretells start from the same rows.
"""

from __future__ import annotations

import random
from uuid import UUID

import msgspec

from kubescribe.domain.mode import Mode

TWINS = ("r1", "r2")
"""Two reports of mode ``replace``, in every run: a reader sees at once whether they are of the same one."""
IN_PLACE = {"journal": Mode.APPEND, "state": Mode.MERGE, "days": Mode.REPLACE_PARTITION}
"""The others, and the mode that each begins in."""
REPORTS = (*TWINS, *IN_PLACE)
COLUMNS = ("n", "part", "value", "marker", "attempt", "total")
_KEYS = 30
_PARTITIONS = ("a", "b", "c", "d", None)

Value = int | float | str | None
Row = tuple[Value, ...]


class Extra(msgspec.Struct, frozen=True):
    """A further column; ``text``: of that type, and else a number."""

    name: str
    text: bool


class Part(msgspec.Struct, frozen=True):
    """What a run publishes in one report."""

    report: str
    mode: Mode
    extras: tuple[Extra, ...] = ()
    recreate: bool = False
    rows: int = 20

    @property
    def key(self) -> tuple[str, ...]:
        """An append has none, which would refuse the rows of a second one."""
        return ("n",) if self.mode in (Mode.REPLACE, Mode.MERGE) else ()

    @property
    def partition_by(self) -> tuple[str, ...]:
        return ("part",) if self.mode is Mode.REPLACE_PARTITION else ()


Plan = tuple[Part, ...]
"""In the order in which the run stages them."""


def rows_of(part: Part, run_id: UUID, attempt_id: UUID) -> list[Row]:
    """The same whenever it is asked; runs of mode ``merge`` share keys, those of ``replace_partition`` partitions."""
    dice = random.Random(f"{run_id} {part.report}")
    numbers = list(range(1, part.rows + 1))
    parts: list[Value] = [dice.choice(_PARTITIONS) for _ in numbers]
    if part.mode is Mode.MERGE:
        numbers = sorted(dice.sample(range(_KEYS), part.rows))
    elif part.mode is Mode.REPLACE_PARTITION:
        chosen = dice.sample(_PARTITIONS, 2)
        parts = [chosen[n % 2] for n in numbers]
    return [
        (n, name, n * 1.5, str(run_id), str(attempt_id), part.rows, *(_extra(extra, n) for extra in part.extras))
        for n, name in zip(numbers, parts, strict=True)
    ]


def _extra(extra: Extra, n: int) -> Value:
    if n % 3 == 0:
        return None
    return f"{extra.name}-{n}" if extra.text else n * 7
