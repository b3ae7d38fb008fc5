"""The chain of a tenant's events: each is sealed with a digest of itself and of the one before it (docs/audit.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from .canonical_json import canonical_json
from .errors import BadAnchor
from .event import Event

FORMAT = "kubescribe.event.1"
"""The first item of the canonical bytes; another one if they ever change."""

GENESIS = bytes(32)
"""What stands for the digest before the first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed event."""

    event: Event
    position: int
    """1, 2, 3, … within the tenant, without a gap; not the order of ``seq``, for sequences commit out of order."""
    digest: bytes
    """32 bytes."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a chain at a moment, to be kept where whoever can write to RunLog cannot write."""

    tenant: str
    position: int
    digest: str
    """64 hexadecimal digits."""
    at: datetime | None = None
    """When it was taken, by the database's clock."""


def canonical_bytes(event: Event, position: int) -> bytes:
    """What is hashed of an event: every field of it, and its place. Documented byte for byte in docs/audit.md."""
    microseconds = (event.at - _EPOCH) // timedelta(microseconds=1)
    fields = [
        FORMAT,
        event.tenant,
        position,
        event.seq,
        microseconds,
        event.subject,
        event.kind,
        event.actor,
        event.method,
        event.reason,
        None if event.run_id is None else str(event.run_id),
        event.before,
        event.after,
        event.data,
    ]
    return canonical_json(fields).encode()


def digest_of(previous: bytes, event: Event, position: int) -> bytes:
    """The seal of an event that follows the one with the digest ``previous``."""
    return sha256(previous + canonical_bytes(event, position)).digest()


def sealed(events: Iterable[Event], *, position: int = 0, digest: bytes = GENESIS) -> list[Link]:
    """The events as links, in their order, behind a head at ``position`` with ``digest``."""
    links = []
    for event in events:
        position += 1
        digest = digest_of(digest, event, position)
        links.append(Link(event=event, position=position, digest=digest))
    return links


def anchor_line(anchor: Anchor) -> bytes:
    """The anchor as one line of JSON, without its end."""
    return msgspec.json.encode(anchor)


def anchors_of(text: str) -> tuple[Anchor, ...]:
    """The anchors of lines as :func:`anchor_line` makes them; raises :class:`BadAnchor`."""
    anchors = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            anchor = msgspec.json.decode(line, type=Anchor)
        except (msgspec.MsgspecError, ValueError):
            raise BadAnchor(number) from None
        if len(anchor.digest) != 64 or anchor.position < 1:
            raise BadAnchor(number)
        anchors.append(anchor)
    return tuple(anchors)
