"""How often somebody may ask: a bucket for each, which fills again."""

from __future__ import annotations

from ....application.ports.clock import Clock
from ..problems import TOO_MANY, Refused

_MOST = 10_000


class Rate:
    """``rate`` requests a second for each key, and twice as many at once. In memory: each process counts its own."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._size = 2.0 * rate
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Count one request; raises :class:`Refused` where it is one too many."""
        now = self._clock.monotonic()
        left, at = self._buckets.get(key, (self._size, now))
        left = min(self._size, left + (now - at) * self._rate)
        if left < 1:
            self._buckets[key] = (left, now)
            wait = max(1, round((1 - left) / self._rate))
            raise Refused(TOO_MANY, f"at most {self._rate:g} a second", Retry_After=str(wait))
        if key not in self._buckets and len(self._buckets) >= _MOST:
            self._forget(now)
        self._buckets[key] = (left - 1, now)

    def give_back(self, key: str) -> None:
        """Take one request as if it had not been."""
        if key in self._buckets:
            left, at = self._buckets[key]
            self._buckets[key] = (min(self._size, left + 1), at)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again; if that is not enough, those that were used longest ago."""
        kept = {
            key: (left, at) for key, (left, at) in self._buckets.items() if left + (now - at) * self._rate < self._size
        }
        if len(kept) >= _MOST:
            kept = dict(sorted(kept.items(), key=lambda entry: entry[1][1])[_MOST // 2 :])
        self._buckets = kept
