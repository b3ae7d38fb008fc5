"""Secrets that are the same in every run of a test, and all different."""

from __future__ import annotations

import hashlib
import itertools


class MemoryRandomness:
    """:class:`~kubescribe.application.ports.randomness.Randomness` that anybody can guess."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def secret(self, size: int) -> bytes:
        """See the port."""
        return hashlib.shake_128(str(next(self._numbers)).encode()).digest(size)
