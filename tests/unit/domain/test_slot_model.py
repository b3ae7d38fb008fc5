"""Expected slots are those of somebody who looks at the clock every minute; ``tests.fuzz.slots`` has more of it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from tests.support.slot_check import check_window
from tests.support.slot_model import BEGIN, DAY, END, ZONES, windows_with_changes

pytestmark = pytest.mark.disable_socket


@pytest.mark.parametrize("zone", ZONES)
def test_the_slots_are_those_on_the_wall(zone: str) -> None:
    dice = random.Random(zone)
    changes = list(windows_with_changes(zone))
    anywhere = BEGIN + timedelta(minutes=dice.randrange((END - BEGIN) // timedelta(minutes=1)))
    windows = [*dice.sample(changes, min(2, len(changes))), (anywhere, anywhere + DAY)]
    assert sum(check_window(zone, *window, dice, 2) for window in windows) > 0


def test_zones_that_change_their_clocks_are_among_them() -> None:
    assert sum(1 for zone in ZONES if any(windows_with_changes(zone))) >= 20
