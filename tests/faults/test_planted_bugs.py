"""Checks that cannot fail prove nothing: each planted bug turns one of them red, in a case that the product passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.invariants import Broken
from tests.support.mutants import MUTANTS, Mutant, copied
from tests.support.world import World

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def unmutated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("product"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(world: World, mutant: Mutant, unmutated: Path, tmp_path: Path) -> None:
    with world.running(unmutated):
        mutant.case(world)
    with world.running(copied(tmp_path, mutant)), pytest.raises(Broken) as found:
        mutant.case(world)
    assert found.value.invariant in mutant.breaks, found.value
