"""``kubescribe sign-in``: a link for a browser."""

from __future__ import annotations

import argparse

from ...domain.access import Role
from ..composition.container import Container
from ..settings import Settings
from .reading import METHOD, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Print the link."""

    async def invite(container: Container) -> int:
        code = await container.sign_in().invite(
            Role(args.role), actor=settings.actor, tenant=settings.tenant, method=METHOD
        )
        print(link(args.url or settings.public_url or "http://127.0.0.1:8000", code))
        return 0

    return reading(settings, invite, healing=False)


def link(url: str, code: str) -> str:
    """The link. The code is in the fragment, which no browser sends: it gets into no server's log."""
    return f"{url.rstrip('/')}/sign-in#{code}"
