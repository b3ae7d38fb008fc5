"""Anchors in memory."""

from __future__ import annotations

from ...domain.errors import AnchorNotSent
from ...domain.event_chain import Anchor


class MemoryAnchors:
    """:class:`~kubescribe.application.ports.anchor_target.AnchorTarget` with a switch that takes it away."""

    name = "memory"

    def __init__(self) -> None:
        self.available = True
        self.taken: list[Anchor] = []

    async def take(self, anchor: Anchor) -> None:
        """See the port."""
        if not self.available:
            raise AnchorNotSent(self.name, "it was taken away")
        self.taken.append(anchor)
