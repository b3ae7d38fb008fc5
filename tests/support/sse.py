"""Reading server-sent events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Message = dict[str, str]
"""``id``, ``event`` and ``data``, as far as they were sent."""


class Messages:
    """What is told, message by message; ``readline`` gives a line of bytes, and nothing at the end."""

    def __init__(self, readline: Callable[[], bytes]) -> None:
        self._readline = readline

    def next(self) -> Message | None:
        """The next message, once it is whole; None: the stream has ended. Comments are passed over."""
        fields: Message = {}
        while line := self._readline():
            text = line.decode().rstrip("\n")
            if not text and fields:
                return fields
            if text and not text.startswith(":"):
                name, _, value = text.partition(": ")
                fields[name] = value
        return None

    def rest(self) -> list[Message]:
        """Everything until the end."""
        found = []
        while (one := self.next()) is not None:
            found.append(one)
        return found


def texts(message: Message) -> list[str]:
    """The lines of a message of a log."""
    lines: list[dict[str, Any]] = msgspec.json.decode(message["data"])
    return [line["text"] for line in lines]
