"""What may be relied on by whoever needs a new id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.system.ids import SystemIds
from kubescribe.application.ports.ids import Ids


@pytest.fixture(params=[MemoryIds, SystemIds])
def ids(request: pytest.FixtureRequest) -> Ids:
    made: Ids = request.param()
    return made


def test_are_uuids_of_version_seven(ids: Ids) -> None:
    made = ids.new()
    assert type(made) is UUID
    assert (made.version, made.variant) == (7, UUID(int=0x8 << 60).variant)


def test_later_ones_sort_after_earlier_ones(ids: Ids) -> None:
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_are_unique_over_threads(ids: Ids) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [one for part in pool.map(lambda _: [ids.new() for _ in range(2000)], range(4)) for one in part]
    assert len(set(made)) == len(made)


def test_manual_ones_are_the_same_every_time() -> None:
    assert [MemoryIds().new() for _ in range(2)] == 2 * [UUID("00000000-0001-7000-8000-000000000001")]
