"""Posts that go nowhere, and are remembered."""

from __future__ import annotations

from collections.abc import Mapping

from ...application.ports.http_client import HttpAnswer
from ...domain.errors import PostFailed
from ...domain.webhook_url import WebhookUrl


class MemoryHttpClient:
    """:class:`~kubescribe.application.ports.http_client.HttpClient` that answers as it was told."""

    def __init__(self) -> None:
        self.posted: list[tuple[WebhookUrl, bytes]] = []
        self.headers: list[dict[str, str]] = []
        """What else was said with each."""
        self.answers: list[HttpAnswer | str] = []
        """The next answers; a text: there is none, and this is why. Afterwards all is well."""

    async def post(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """See the port."""
        self.posted.append((url, body))
        self.headers.append(dict(headers or {}))
        answer = self.answers.pop(0) if self.answers else HttpAnswer(status=200, text="ok")
        if isinstance(answer, str):
            raise PostFailed(url.shown, answer)
        return answer
