"""What people are told: the same for every channel, which gives it its own looks."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

TEXT_LIMIT = 4_000
LINES = 20
LINE_LIMIT = 400

# Controls but tab and line end; what turns the direction of writing; lone surrogates; line ends of other kinds.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


ENTRIES = 600
"""Pipelines that one message lists; the rest is counted."""


class Entry(msgspec.Struct, frozen=True):
    """One pipeline of several that a message tells of."""

    name: str
    text: str
    """One line: what is with it."""
    link: str | None = None


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes along, where the channel takes files."""

    name: str
    """Letters, digits, dots, - and _."""
    data: bytes
    """CSV in UTF-8."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A message without any channel's markup. Every text is plain: channels escape what means something to them."""

    kind: str
    """``run.failed``, ``run.lost``, ``run.recovered``; later what happens to incidents."""
    title: str
    """One line."""
    summary: str
    """A sentence or two: what happened."""
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values, in the order to be shown."""
    text: str | None = None
    """What the failure said, in several lines perhaps."""
    lines: tuple[str, ...] = ()
    """The last lines of the log."""
    next_steps: tuple[tuple[str, str], ...] = ()
    """Commands, and what each is for."""
    link: str | None = None
    """Where more is to be seen."""
    entries: tuple[Entry, ...] = ()
    """What is with each pipeline, where the message tells of several; at most ``ENTRIES``."""
    more: int = 0
    """How many others there are."""
    attachments: tuple[Attachment, ...] = ()
    pipeline: str = ""
    """Which one, where it is about one."""
    key: str = ""
    """The same for everything that is told of one trouble of one pipeline."""
    resolves: bool = False
    """The trouble is over."""
    at: datetime | None = None
    """When it happened, by the database's clock."""


def printable(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text in visible characters, tabs and line ends, cut in the middle."""
    if len(text) > 4 * limit:
        text = f"{text[: 2 * limit]}\n{text[-2 * limit :]}"
    text = _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) <= limit:
        return text
    half = limit // 2 - 20
    return f"{text[:half]}\n… left out …\n{text[-half:]}"


def one_line(text: str, limit: int) -> str:
    """The same in one line, cut at its end."""
    text = " ".join(printable(text, 4 * limit).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def last_lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The last lines of a log that a message has room for."""
    shown = [line.rstrip() for whole in lines[-LINES:] for line in printable(whole, LINE_LIMIT).split("\n")]
    return tuple(shown[-LINES:])
