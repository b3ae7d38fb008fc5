"""Seal events, check the chain, and send its head outside."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ..domain.chain_check import ChainCheck, Finding
from ..domain.event_chain import Anchor
from .failpoints import failpoint
from .ports.anchor_target import AnchorTarget
from .ports.event_chain import EventChain, Unsealed

_PAGE = 1000


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of one tenant's chain found."""

    tenant: str
    checked: int
    """Links that were looked at."""
    head: Anchor | None
    """Where the chain ends."""
    findings: tuple[Finding, ...]
    unsealed: Unsealed
    """Nothing is said of these: they may still be changed without a trace."""


class SealEvents:
    """Seals everything that waits, page after page; called a second after the last time, by whoever serves the API."""

    def __init__(self, chain: EventChain) -> None:
        self._chain = chain

    async def __call__(self) -> int:
        """Seal; how many events were sealed."""
        total = 0
        while count := await self._chain.seal(limit=_PAGE):
            total += count
        return total


class VerifyEvents:
    """Checks the whole chain of a tenant, from its first link to its last."""

    def __init__(self, chain: EventChain) -> None:
        self._chain = chain

    async def __call__(self, tenant: str, anchors: tuple[Anchor, ...] = ()) -> Verified:
        """Check; ``anchors`` come from outside, those that RunLog itself knows are compared as well."""
        known = await self._chain.anchors(tenant)
        check = ChainCheck(tenant, (*known, *(one for one in anchors if one.tenant == tenant)))
        after: int | None = None
        while page := await self._chain.links(tenant, after=after, limit=_PAGE):
            for link in page:
                check.follow(link)
            after = page[-1].position
        head = Anchor(tenant=tenant, position=check.position, digest=check.digest.hex()) if check.checked else None
        return Verified(
            tenant=tenant,
            findings=check.end(),
            checked=check.checked,
            head=head,
            unsealed=await self._chain.unsealed(tenant),
        )


class SendAnchors:
    """Sends each chain's head outside, once in ``every``: at least once, and again rather than not at all."""

    def __init__(self, chain: EventChain, target: AnchorTarget, *, every: timedelta = timedelta(days=1)) -> None:
        self._chain = chain
        self._target = target
        self._every = every

    async def __call__(self) -> tuple[Anchor, ...]:
        """Send what is due; what was sent. A chain that has not moved is not sent again."""
        sent = []
        for tenant in await self._chain.tenants():
            head = await self._chain.head(tenant)
            before = await self._chain.anchors(tenant)
            if head is None or (before and not self._due(head, before[0])):
                continue
            await self._target.take(head)
            failpoint("anchor.sent")
            await self._chain.anchored(head, self._target.name)
            sent.append(head)
        return tuple(sent)

    def _due(self, head: Anchor, last: Anchor) -> bool:
        if head.at is None or last.at is None:
            return True
        return head.position != last.position and head.at - last.at >= self._every
