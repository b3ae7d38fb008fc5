"""How notices to one address are put together, so that five hundred failures are three messages."""

from __future__ import annotations

import msgspec

from .delivery import Delivery


class Collecting(msgspec.Struct, frozen=True, kw_only=True):
    """After a quiet time the first notice goes out at once; what follows is collected, for longer the second time.

    So a storm of one ``interval`` makes three messages: at its begin, after ``first``, and after ``interval`` more.
    """

    first: float = 30.0
    """Seconds for which is collected after a message that followed quiet."""
    interval: float = 300.0
    """Seconds for which is collected after any other message; without any for so long it is quiet."""
    most: int = 10_000
    """Notices in one message."""
    waiting: int = 3
    """Messages to one address that may wait for another try; while there are more, notices are collected."""


ALONE = Collecting(first=0.0, interval=0.0, most=1, waiting=1_000_000)
"""Each notice by itself and at once: for who puts them together himself."""


class Message(msgspec.Struct, frozen=True):
    """What is sent to one address at once. Every try has the same notices in it, and the same id."""

    head: Delivery
    """The oldest; what becomes of it becomes of all."""
    told: tuple[Delivery, ...]
    """All of it, the head included, in the order in which it happened."""
