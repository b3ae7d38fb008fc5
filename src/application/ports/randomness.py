"""Randomness that nobody can guess."""

from __future__ import annotations

from typing import Protocol


class Randomness(Protocol):
    """Where secrets come from."""

    def secret(self, size: int) -> bytes:
        """So many bytes that nobody else knows."""
        ...
