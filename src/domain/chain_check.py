"""Whether a chain of events is still what was sealed."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from .event_chain import GENESIS, Anchor, Link, digest_of


class Breach(StrEnum):
    """What can be wrong with a chain."""

    MISSING = "missing"
    """Events were removed: positions are not there."""

    EXTRA = "extra"
    """A position is there twice, or below the first: an event was put in."""

    ALTERED = "altered"
    """An event is not what was sealed: a field was edited, or it was put in, exchanged or moved."""

    TRUNCATED = "truncated"
    """The chain ends before the anchor: its newest events were removed, or their seals."""

    REWRITTEN = "rewritten"
    """The chain has another digest at the anchor's position: it was computed anew from some event on."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    breach: Breach
    position: int
    """Where; of what is missing, the first."""
    seq: int | None = None
    """The event, where there is one."""
    detail: str
    """A sentence for people."""


class ChainCheck:
    """Goes along one tenant's chain, link after link, and collects what is wrong with it.

    After a break it goes on from what is stored, so that each breach is found on its own. Against somebody who
    computes the whole chain anew, or cuts off its end, only an anchor helps that they could not write to.
    """

    def __init__(self, tenant: str, anchors: tuple[Anchor, ...] = ()) -> None:
        """``anchors``: of this tenant, in any order."""
        self.tenant = tenant
        self.findings: list[Finding] = []
        self.position = 0
        """Of the last link that was followed."""
        self.digest: bytes = GENESIS
        """Of the last link that was followed."""
        self.checked = 0
        self._anchors: dict[int, set[str]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.position, set()).add(anchor.digest.lower())

    def follow(self, link: Link) -> None:
        """Check the next link; they come in the order of their positions."""
        self.checked += 1
        position, event = link.position, link.event
        if position <= self.position:
            self._found(Breach.EXTRA, link, f"event {event.seq} has position {position}, where another one is")
            return
        if position > self.position + 1:
            first, last = self.position + 1, position - 1
            which = f"position {first}" if first == last else f"positions {first} to {last}"
            detail = f"the event of {which} is missing" if first == last else f"the events of {which} are missing"
            self.findings.append(Finding(breach=Breach.MISSING, position=first, detail=detail))
        elif not _fits(self.digest, link):
            self._found(
                Breach.ALTERED, link, f"event {event.seq} at position {position} is not the one that was sealed there"
            )
        self.position, self.digest = position, link.digest
        self._compare(link)

    def end(self) -> tuple[Finding, ...]:
        """All findings, after the last link."""
        beyond = [position for position in self._anchors if position > self.position]
        if beyond:
            detail = f"the chain ends at position {self.position}, and an anchor knows position {max(beyond)}"
            self.findings.append(Finding(breach=Breach.TRUNCATED, position=self.position + 1, detail=detail))
            self._anchors.clear()
        return tuple(self.findings)

    def _compare(self, link: Link) -> None:
        known = self._anchors.get(link.position)
        if known is not None and known != {link.digest.hex()}:
            self._found(
                Breach.REWRITTEN,
                link,
                f"position {link.position} has another digest than the anchor: the chain was computed anew",
            )

    def _found(self, breach: Breach, link: Link, detail: str) -> None:
        self.findings.append(Finding(breach=breach, position=link.position, seq=link.event.seq, detail=detail))


def _fits(previous: bytes, link: Link) -> bool:
    try:
        return digest_of(previous, link.event, link.position) == link.digest
    except (TypeError, ValueError, RecursionError, OverflowError):  # no event of ours looks like that
        return False
