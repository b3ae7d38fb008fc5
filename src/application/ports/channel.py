"""How people are told."""

from __future__ import annotations

from typing import Protocol

from ...domain.announcement import Announcement


class Channel(Protocol):
    """One way to people: mail, a chat. Told twice with one id, people see that it is the same."""

    @property
    def name(self) -> str:
        """``email``, ``slack``, ``webhook``, ``pagerduty``, ``apprise``: on record with each delivery."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """Whom it reaches; each gets messages of their own, and none waits for another. No secrets."""
        ...

    @property
    def alone(self) -> bool:
        """Each notice has to be a message of its own, at once: the other side puts together what belongs together."""
        ...

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """Send it; when this returns, the other side has taken it.

        ``message_id``: printable, without spaces, the same at every try. Raises :class:`NotDelivered`, which says
        whether another try may help; the message may have arrived then. Ends within a minute, whatever the other
        side does.
        """
        ...
