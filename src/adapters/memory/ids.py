"""Ids that are the same in every run of a test."""

from __future__ import annotations

import itertools
from uuid import UUID


class MemoryIds:
    """:class:`~kubescribe.application.ports.ids.Ids`: UUIDv7s of the first milliseconds of 1970, one each."""

    def __init__(self, start: int = 1) -> None:
        self._numbers = itertools.count(start)

    def new(self) -> UUID:
        """See the port."""
        number = next(self._numbers)
        # A number at the end too, so that shortened ids differ at both ends.
        return UUID(int=number << 80 | 7 << 76 | 0b10 << 62 | number)
