"""Messages that do not arrive."""

from __future__ import annotations

from .base import KubescribeError, TemporaryError


class PostFailed(TemporaryError):
    """A post was not answered; it may have arrived."""

    def __init__(self, where: str, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(f"{where} did not answer: {why}")


class NotDelivered(KubescribeError):
    """A message was not taken by its channel, or may not have been.

    ``permanent``: trying again is useless. ``retry_after``: seconds that the channel asks to wait. ``channel_down``:
    the next message would fare no better.
    """

    def __init__(
        self, why: str, *, permanent: bool = False, retry_after: float | None = None, channel_down: bool = False
    ) -> None:
        self.why, self.permanent, self.retry_after, self.channel_down = why, permanent, retry_after, channel_down
        super().__init__(f"the message was not delivered: {why}")
