"""New ids."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Makes the ids of runs and attempts."""

    def new(self) -> UUID:
        """A UUIDv7: later ones sort after earlier ones of the same process."""
        ...
