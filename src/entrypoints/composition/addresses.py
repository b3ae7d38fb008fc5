"""Where a database is, for asyncpg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..settings import Settings

if TYPE_CHECKING:
    from ...domain.database_url import DatabaseUrl

_NO_LIMIT = 86_400.0
"""Seconds: what ``connect_timeout=0`` in a URL comes to."""


def address(url: DatabaseUrl, settings: Settings) -> tuple[dict[str, Any], float]:
    """For asyncpg, and the seconds that connecting may take: the URL has the first word."""
    found = url.for_asyncpg()
    if "timeout" not in found:
        return found, settings.connect_timeout.total_seconds()
    return found, found["timeout"] or _NO_LIMIT
