"""A channel to nobody that remembers what it was given."""

from __future__ import annotations

from ...domain.announcement import Announcement
from ...domain.errors import NotDelivered


class MemoryChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` that answers as it was told."""

    def __init__(
        self, name: str = "memory", addresses: tuple[str, ...] = ("somebody",), *, alone: bool = False
    ) -> None:
        self.name = name
        self.alone = alone
        self.addresses = addresses
        self.taken: list[tuple[str, str, Announcement]] = []
        """Address, message id and message of each that was taken."""
        self.answers: list[NotDelivered | None] = []
        """The next answers; None: it is taken. Afterwards everything is."""

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.taken.append((address, message_id, announcement))
