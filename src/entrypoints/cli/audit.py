"""``kubescribe audit``: seal events, check the chain, print its head."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...application.audit_events import Verified
from ...domain.errors import BadSetting, ChainBroken
from ...domain.event_chain import Anchor, anchor_line, anchors_of
from ..composition.auditing import seal_events, send_anchors, verify_events
from ..composition.container import Container
from ..settings import Settings
from .reading import reading

_SHOWN = 20


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the act says."""
    anchors = _anchors(args.anchor) if args.act == "verify" else ()

    async def act(container: Container) -> int:
        if args.act == "seal":
            return await _seal(container)
        if args.act == "anchor":
            return await _anchor(container, settings)
        verified = await verify_events(container)(settings.tenant, anchors)
        return _show(verified, anchors, as_json=args.json)

    return reading(settings, act, healing=False)


async def _seal(container: Container) -> int:
    count = await seal_events(container)()
    print(f"{count:,} event{'' if count == 1 else 's'} sealed")
    send = send_anchors(container)
    for anchor in await send() if send is not None else ():
        print(f"the anchor of tenant {anchor.tenant} at position {anchor.position:,} was sent")
    return 0


async def _anchor(container: Container, settings: Settings) -> int:
    await seal_events(container)()
    head = await container.event_chain().head(settings.tenant)
    if head is None:
        print("kubescribe: there is no event yet, so there is nothing to anchor", file=sys.stderr)
        return 0
    print(anchor_line(head).decode())
    return 0


def _anchors(file: str | None) -> tuple[Anchor, ...]:
    if file is None:
        return ()
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting("--anchor", f"{file} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    return anchors_of(text)


def _show(verified: Verified, anchors: tuple[Anchor, ...], *, as_json: bool) -> int:
    if as_json:
        from . import terminal

        terminal.print_json(verified)
    else:
        for finding in verified.findings[:_SHOWN]:
            print(f"{finding.breach}: {finding.detail}")
        if len(verified.findings) > _SHOWN:
            print(f"… and {len(verified.findings) - _SHOWN:,} more findings")
        waiting = verified.unsealed
        if waiting.events:
            print(f"{waiting.events:,} events have no seal yet, the oldest for {waiting.age:,.0f} s")
    mine = [one for one in anchors if one.tenant == verified.tenant]
    if anchors and not mine:
        raise BadSetting("--anchor", f"none of the anchors is of tenant {verified.tenant}")
    if verified.findings:
        raise ChainBroken(verified.tenant, len(verified.findings))
    if not as_json:
        compared = f", and fit {len(mine)} anchor{'' if len(mine) == 1 else 's'}" if mine else ""
        print(f"{verified.checked:,} events of tenant {verified.tenant} are as they were sealed{compared}")
    return 0
