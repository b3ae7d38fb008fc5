"""What the commands that read have in common: databases, a container, the healing pass, and finding a run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

from ...application.ports.run_log import RunLog
from ...domain.errors import AmbiguousRun, RunNotFound
from ...domain.tenant import Tenant
from ..composition.container import Container, container_for
from ..composition.databases import open_databases
from ..settings import Settings
from .healing import heal

METHOD = "cli"
"""How a command was asked for, as it is in an event."""


def reading(settings: Settings, work: Callable[[Container], Awaitable[int]], *, healing: bool = True) -> int:
    """Do the work with a container; in the embedded mode heal first, so that what is shown is true."""
    with open_databases(settings) as databases:

        async def run() -> int:
            async with container_for(settings, databases) as container:
                if databases.embedded and healing:
                    await heal(container, lambda text: print(f"kubescribe: {text}", file=sys.stderr))
                return await work(container)

        return asyncio.run(run())


async def find_run(run_log: RunLog, text: str, tenant: Tenant) -> UUID:
    """The id of the tenant's run that a person means; raises :class:`RunNotFound` or :class:`AmbiguousRun`."""
    digits = text.replace("-", "").lower()
    if not digits or any(digit not in "0123456789abcdef" for digit in digits) or len(digits) > 32:
        raise RunNotFound(text)
    if len(digits) == 32:
        return UUID(digits)
    fits = await run_log.matching(digits, tenant=tenant)
    if not fits:
        raise RunNotFound(text)
    if len(fits) > 1:
        raise AmbiguousRun(text, tuple(str(one) for one in fits))
    return next(iter(fits))
