"""Where anchors go: outside, where whoever can write to RunLog cannot write."""

from __future__ import annotations

from typing import Protocol

from ...domain.event_chain import Anchor


class AnchorTarget(Protocol):
    """Takes anchors. To take one twice is harmless."""

    @property
    def name(self) -> str:
        """What it is, for people and records, without any secret."""
        ...

    async def take(self, anchor: Anchor) -> None:
        """Keep the anchor; raises :class:`AnchorNotSent` where it may not have arrived."""
        ...
