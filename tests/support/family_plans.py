"""Drawing what a run publishes: modes, columns and rows that fit what is there, or make it anew."""

from __future__ import annotations

import random

import msgspec

from kubescribe.domain.mode import Mode

from .family import IN_PLACE, TWINS, Extra, Part, Plan
from .family_model import Model

_WIDER, _ANEW = 0.12, 0.06
"""How often a report gets a further column, and how often it is made anew."""
_MOST_EXTRAS = 3
FIRST: Plan = tuple(Part(name, Mode.REPLACE) for name in TWINS) + tuple(
    Part(name, mode, rows=6) for name, mode in IN_PLACE.items()
)


AGAIN: Plan = tuple(
    msgspec.structs.replace(part, recreate=True, rows=25 if part.mode is Mode.MERGE else part.rows) for part in FIRST
)
"""Every report in the mode that it begins in, made anew where it is in another; two of these share keys."""


def draw_plan(dice: random.Random, model: Model) -> Plan:
    """The twins, and one to three of the others, in any order."""
    others = dice.sample(list(IN_PLACE), dice.choice((1, 2, 3, 3)))
    parts = [_part(dice, name, model) for name in (*TWINS, *others)]
    dice.shuffle(parts)
    return tuple(parts)


def _part(dice: random.Random, name: str, model: Model) -> Part:
    now = model.reports[name]
    mode, extras, recreate = now.mode, now.extras, dice.random() < 0.5
    change = dice.random()
    if name == TWINS[0]:  # never made anew: so each run has an old version to detach, and reaches that step
        recreate = False
        if change < _WIDER and len(extras) < _MOST_EXTRAS:
            extras = (*extras, _extra(dice, extras))
    elif change < _ANEW or len(extras) >= _MOST_EXTRAS:
        recreate = True
        if name in IN_PLACE:
            mode = dice.choice((*Mode, IN_PLACE[name], IN_PLACE[name], IN_PLACE[name]))
        extras = extras[1:] or (_extra(dice, extras),)
    elif change < _ANEW + _WIDER:
        extras = (*extras, _extra(dice, extras))
    return Part(name, mode, extras, recreate, 20 if name in TWINS else dice.randrange(7))


def _extra(dice: random.Random, others: tuple[Extra, ...]) -> Extra:
    names = {one.name for one in others}
    name = next(name for name in (f"extra_{number}" for number in range(_MOST_EXTRAS + 1)) if name not in names)
    return Extra(name, dice.random() < 0.5)
