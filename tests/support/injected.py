"""Texts that some shell, template, format or terminal would make something of."""

from __future__ import annotations

import random

SEEDS = [
    "$(id)",
    "`id`",
    "; rm -rf /",
    "{{7*7}}",
    "{% x %}",
    "${HOME}",
    "%s%n",
    "{0.__class__}",
    "' OR 1=1 --",
    "\\x41",
]
SEEDS += ["<script>alert(1)</script>", "../../x", "\t", "\u202e", "😀", "\\u0000", '"', "\\", "--help", "@file", "=1+1"]


def injected(count: int) -> list[str]:
    """So many, the same ones each time."""
    dice = random.Random(20_261_121)
    return ["".join(dice.choices(SEEDS, k=dice.randint(1, 5))) for _ in range(count)]
