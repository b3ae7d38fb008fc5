"""Sixteen writers, and senders that die at random steps (FAULTS N1, I-19); the whole of it is in ``make chaos``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.clusters import Cluster
from tests.support.notice_storm import storm
from tests.support.three_databases import ThreeDatabases, three_databases

pytestmark = pytest.mark.integration


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


@pytest.mark.parametrize(("alone", "rows", "deaths"), [(True, 400, 40), (False, 3000, 60)], ids=["alone", "together"])
def test_nothing_is_lost(databases: ThreeDatabases, alone: bool, rows: int, deaths: int) -> None:
    outcome = asyncio.run(storm(databases.runlog, rows=rows, deaths=deaths, senders=4, seed=7, alone=alone))
    assert outcome.deaths > 0
    assert (outcome.lost, outcome.differing, outcome.disordered, outcome.still_due) == (0, 0, 0, 0), outcome
    assert outcome.messages == rows if alone else outcome.messages < rows
