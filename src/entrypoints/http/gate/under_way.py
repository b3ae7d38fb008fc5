"""How many requests are under way, of all and of one: who is slow keeps nobody else out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ..problems import TOO_MANY, Refused

MOST_OF_ONE = 100
"""At once, of one principal; of one address without credentials as well."""


class UnderWay:
    """Counts requests from when it is known who asks until they are answered."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """One more of ``key`` for as long as this lasts; raises :class:`Refused` where it is one too many."""
        if self._of[key] >= MOST_OF_ONE:
            raise Refused(TOO_MANY, f"at most {MOST_OF_ONE} at once", Retry_After="1", Connection="close")
        self._of[key] += 1
        try:
            yield
        finally:
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]
