"""WebSessions on record, and the links that begin them."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from ...domain.web_session import WebSession


class WebSessions(Protocol):
    """WebSessions by the digest of their secret. Times are the database's clock's. Raises ``DatabaseUnavailable``.

    ``method``: how it was asked for, as in the event.
    """

    async def invite(
        self, session: WebSession, link: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession:
        """Keep a sign-in link, by its digest, for ``lifetime`` seconds, with the event ``session.invited``."""
        ...

    async def redeem(
        self, link: bytes, secret: bytes, *, lifetime: float, method: str | None = None
    ) -> WebSession | None:
        """Turn a link into a session with another digest, which lasts ``lifetime`` seconds from now.

        Once: of any number of callers one gets the session. None where the link is unknown, used or too old. Leaves
        the event ``session.began`` in the same transaction.
        """
        ...

    async def find(self, secret: bytes) -> WebSession | None:
        """The session with this digest, if it goes on: a link is none, nor is one that has ended."""
        ...

    async def end(self, session_id: UUID, *, method: str | None = None) -> None:
        """End a session, with the event ``session.ended``; nothing where it has ended already."""
        ...
