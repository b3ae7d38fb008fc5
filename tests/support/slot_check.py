"""Expected slots against the model of them."""

from __future__ import annotations

import random
from datetime import datetime

from kubescribe.domain.dst_policy import Fold, Gap
from kubescribe.domain.expected_slot import expected_slots, skipped_by_fold
from kubescribe.domain.schedule import Schedule

from .slot_model import MINUTE, Fields, Slot, looks, model, some_fields


def check_window(zone: str, after: datetime, until: datetime, dice: random.Random, count: int) -> int:
    """Compare ``count`` schedules under all four policies, in one window and in its parts; how many slots there were.

    Raises :class:`AssertionError` for the first that differs.
    """
    seen, slots = looks(zone, after, until), 0
    for _ in range(count):
        fields = some_fields(dice, dice.choice(seen).wall)
        for fold in Fold:
            for gap in Gap:
                said = model(seen, fields, once=fold is Fold.ONCE, run_after=gap is Gap.RUN_AFTER, after=after)
                _compare(zone, fields, fold, gap, (after, dice.choice(seen).at, until), said)
                slots += len(said)
    return slots


def _compare(
    zone: str, fields: Fields, fold: Fold, gap: Gap, points: tuple[datetime, datetime, datetime], said: list[Slot]
) -> None:
    schedule = Schedule(fields.expression, zone)
    begin, middle, end = points
    middle = max(begin, middle)
    found = [
        slot
        for window in ((begin, middle), (middle, end))
        for slot in expected_slots(schedule, fold, gap, *window, skipped=True)
    ]
    where = f"{fields.expression} in {zone}, fold {fold}, gap {gap}, from {begin} over {middle} to {end}"
    assert [(one.at, one.oddity, one.skipped) for one in found] == [(o.at, o.oddity, o.skipped) for o in said], where
    walls = [f"{one.wall:%Y-%m-%dT%H:%M}" for one in said]
    assert [one.logical[:16] for one in found] == walls, where
    assert len({one.logical for one in found}) == len(found), where
    due = [one.at for one in found if not one.skipped]
    assert due == sorted(set(due)), where
    for one in found:
        assert skipped_by_fold(schedule, fold, one.at) == (one.skipped and one.oddity == "fold") or one.oddity == "gap"
        assert not skipped_by_fold(schedule, fold, one.at + MINUTE / 2)
