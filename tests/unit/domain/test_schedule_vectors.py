"""Every answer of the Go library, one zone after another."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from tests.support.schedule_vectors import FILE, Vector, load

from kubescribe.domain.cron_parser import parse
from kubescribe.domain.errors import BadSchedule
from kubescribe.domain.schedule import Schedule, find_zone

pytestmark = pytest.mark.disable_socket

VECTORS = load()
BY_ZONE: defaultdict[str, list[Vector]] = defaultdict(list)
for one in VECTORS:
    BY_ZONE[one.zone].append(one)

NOT_LATER = {"America/St_Johns": 3, "Pacific/Chatham": 9}
"""How many of the library's answers are no later than what it was asked about: at folds that do not end on the hour."""


def test_there_are_enough_of_them() -> None:
    refused = [vector for vector in VECTORS if vector.moments is None]
    never = [vector for vector in VECTORS if vector.moments is not None and None in vector.moments]
    assert len(VECTORS) >= 7_500
    assert len(refused) >= 1_000
    assert len(never) >= 25
    assert len(BY_ZONE) >= 30
    assert FILE.stat().st_size < 200_000


def test_the_file_is_sorted_and_does_not_know_when_it_was_made() -> None:
    assert sorted(VECTORS, key=lambda vector: vector[:3]) == VECTORS
    assert FILE.read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize("zone", sorted(BY_ZONE))
def test_the_port_answers_as_the_library_does(zone: str) -> None:
    wrong = [vector for vector in BY_ZONE[zone] if _answer(vector) != vector.moments]
    assert not wrong, f"{len(wrong)} of {len(BY_ZONE[zone])}, the first {wrong[0]}, not {_answer(wrong[0])}"


@pytest.mark.parametrize("zone", sorted(BY_ZONE))
def test_a_schedule_goes_on_where_the_library_goes_back(zone: str) -> None:
    found = 0
    for vector in BY_ZONE[zone]:
        for before, said in pairwise((vector.start, *(vector.moments or ()))):
            if before is not None and said is not None and said <= before:
                after = Schedule(vector.expression, zone).next_after(before)
                assert after is not None and after.astimezone(UTC) > before
                found += 1
    assert found == NOT_LATER.get(zone, 0)


def _answer(vector: Vector) -> tuple[datetime | None, ...] | None:
    try:
        schedule = Schedule(vector.expression, vector.zone)
    except BadSchedule:
        return None
    at: datetime | None = vector.start
    moments: list[datetime | None] = []
    while at is not None and len(moments) < 4:
        found, before = schedule.next_after(at), at
        assert found is None or found.tzinfo is find_zone(vector.zone)
        at = None if found is None else found.astimezone(UTC)
        raw = parse(vector.expression).next(before, find_zone(vector.zone)) if vector.zone in NOT_LATER else found
        if raw is not None and raw.astimezone(UTC) <= before:
            at = raw.astimezone(UTC)  # the port alone follows the library there
        moments.append(at)
    return tuple(moments)
