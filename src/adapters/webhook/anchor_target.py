"""Anchors to a webhook."""

from __future__ import annotations

from ...application.ports.http_client import HttpClient
from ...domain.errors import AnchorNotSent, PostFailed
from ...domain.event_chain import Anchor, anchor_line
from ...domain.webhook_url import WebhookUrl


class WebhookAnchors:
    """:class:`~kubescribe.application.ports.anchor_target.AnchorTarget` that posts each anchor as a line of JSON."""

    def __init__(self, client: HttpClient, url: WebhookUrl) -> None:
        self._client = client
        self._url = url

    @property
    def name(self) -> str:
        """See the port."""
        return self._url.shown

    async def take(self, anchor: Anchor) -> None:
        """See the port."""
        try:
            answer = await self._client.post(self._url, anchor_line(anchor))
        except PostFailed as failed:
            raise AnchorNotSent(self.name, failed.why) from failed
        if not 200 <= answer.status < 300:
            raise AnchorNotSent(self.name, f"it answered {answer.status}")
