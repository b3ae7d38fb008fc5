"""Kubernetes' quantities: ``512Mi``, ``250m``."""

from __future__ import annotations

import math
from decimal import Decimal

_BINARY = {name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_DECIMAL |= {name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)}


def quantity(text: str) -> Decimal:
    """The number: bytes, or cores."""
    for suffix, factor in (*_BINARY.items(), *_DECIMAL.items()):
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * factor
    return Decimal(text)


def divided(text: str, divisor: str) -> str:
    """As the downward API says it: whole divisors, rounded up; a divisor of 0 is 1."""
    by = quantity(divisor) or Decimal(1)
    return str(math.ceil(quantity(text) / by))
