"""Tell somebody outside that runs are looked after: who watches the watchman hears it when this stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..domain.errors import PostFailed
from ..domain.webhook_url import WebhookUrl
from .keep_reconciling import Standing
from .ports.http_client import HttpClient

EVERY = 60.0
"""Seconds between two pings while nothing changes."""
STALE = 60.0
"""Seconds without a pass that came to its end, after which runs are not looked after."""


class TellAlive:
    """A look at how the reconciler stands: a post to the URL after a pass that went well, one to ``URL/fail`` else.

    As Healthchecks and its like take them. At most one in ``EVERY`` seconds, but at once when it changes from well to
    not and back. The process that leads tells; one that sees another lead is silent, so with nobody leading nobody
    pings, and that is what the other side watches for. Raises :class:`PostFailed`; the next look tries again.
    """

    def __init__(
        self,
        client: HttpClient,
        url: WebhookUrl,
        standing: Callable[[], Standing | None],
        *,
        hidden: Callable[[str], str],
    ) -> None:
        """``hidden`` takes this process's secrets out of a text: it goes to somebody else's server."""
        self._hidden = hidden
        self._client = client
        self._url = url
        self._failed = WebhookUrl(_with_fail(url.url))
        self._standing = standing
        self._told: tuple[bool, float] | None = None

    async def __call__(self) -> None:
        """Look once."""
        standing = self._standing()
        if standing is None:
            return
        now = asyncio.get_running_loop().time()
        stale = now - standing.well_at > STALE
        if not standing.leads and not stale:
            return
        well = not stale and not standing.problems
        if self._told is not None and self._told[0] is well and now - self._told[1] < EVERY:
            return
        said = self._hidden("; ".join(standing.problems))[:1000]
        said = said or ("the reconciler finishes no pass" if stale else "ok")
        url = self._url if well else self._failed
        answer = await self._client.post(url, said.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        if not 200 <= answer.status < 300:
            raise PostFailed(url.shown, f"it answered {answer.status}")
        self._told = (well, now)


def _with_fail(url: str) -> str:
    path, mark, query = url.partition("?")
    return path.rstrip("/") + "/fail" + mark + query
