"""The Go library's answers, kept beside the tests: reading them, and packing new ones (docs/schedule-vectors.md)."""

from __future__ import annotations

import gzip
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[1] / "unit" / "domain" / "schedule_vectors.json.gz"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Vector(NamedTuple):
    """What the library makes of one expression."""

    expression: str
    zone: str
    start: datetime
    moments: tuple[datetime | None, ...] | None
    """The next ones in UTC, each asked for from the one before, None for never; or it is refused."""


def load() -> list[Vector]:
    """All vectors."""
    return [_vector(*answer) for answer in json.loads(gzip.decompress(FILE.read_bytes()))]


def _vector(expression: str, zone: str, start: int, steps: list[int | None] | bool) -> Vector:
    at, moments = start // 1000, list[datetime | None]()
    for step in steps if isinstance(steps, list) else ():
        at += step or 0
        moments.append(None if step is None else EPOCH + timedelta(seconds=at))
    return Vector(
        expression, zone, EPOCH + timedelta(milliseconds=start), tuple(moments) if isinstance(steps, list) else None
    )


def pack(lines: list[str]) -> bytes:
    """The answers sorted, each moment as the seconds since the one before: the same bytes for the same answers."""
    answers = sorted((json.loads(line) for line in lines), key=lambda answer: answer[:3])
    for _, _, start, answer in answers:
        at = start // 1000
        for number, moment in enumerate(answer or ()):
            if moment is not None:
                answer[number], at = moment - at, moment
    text = "[\n" + ",\n".join(json.dumps(answer, separators=(",", ":")) for answer in answers) + "\n]\n"
    return gzip.compress(text.encode(), mtime=0)


if __name__ == "__main__":
    FILE.write_bytes(pack(sys.stdin.readlines()))
