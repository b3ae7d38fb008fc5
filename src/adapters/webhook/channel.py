"""Messages as signed JSON to anybody who takes posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ...application.ports.http_client import HttpClient
from ...domain.announcement import Announcement, one_line
from ...domain.errors import NotDelivered, PostFailed
from ...domain.webhook_target import WebhookTarget

_AGAIN = (408, 425, 429)


class WebhookChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` that posts as https://www.standardwebhooks.com asks for.

    ``webhook-id`` is the message's id, the same at every try; ``webhook-timestamp`` the seconds since 1970 of the try;
    ``webhook-signature`` over both and the body, with the target's own secret. ``now``: those seconds.
    """

    name = "webhook"
    alone = False

    def __init__(self, client: HttpClient, targets: Mapping[str, WebhookTarget], *, now: Callable[[], float]) -> None:
        self._client = client
        self._targets = targets
        self._now = now

    @property
    def addresses(self) -> tuple[str, ...]:
        """See the port: the names that the settings give the targets."""
        return tuple(self._targets)

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        target = self._targets[address]
        body = msgspec.json.encode(payload(announcement, message_id))
        at = int(self._now())
        headers = {"webhook-id": message_id, "webhook-timestamp": str(at)}
        signature = target.signature(message_id, at, body)
        if signature is not None:
            headers["webhook-signature"] = signature
        try:
            answer = await self._client.post(target.url, body, headers)
        except PostFailed as failed:
            raise NotDelivered(str(failed), channel_down=len(self._targets) == 1) from failed
        if 200 <= answer.status < 300:
            return
        why = f"{target.url.shown} answered {answer.status} {one_line(answer.text, 100)}".strip()
        again = answer.status in _AGAIN or answer.status >= 500
        # What is down is this target; the others are somebody else's.
        down = again and len(self._targets) == 1
        raise NotDelivered(why, permanent=not again, retry_after=answer.retry_after, channel_down=down)


def payload(announcement: Announcement, message_id: str) -> dict[str, Any]:
    """The body: ``type``, ``id``, ``timestamp`` and ``data``. More names may come; those that are there stay."""
    one = announcement
    return {
        "type": one.kind,
        "id": message_id,
        "timestamp": one.at,
        "data": {
            "pipeline": one.pipeline or None,
            "key": one.key or None,
            "resolved": one.resolves,
            "title": one.title,
            "summary": one.summary,
            "facts": dict(one.facts),
            "text": one.text,
            "lines": one.lines,
            "entries": [{"pipeline": entry.name, "text": entry.text, "link": entry.link} for entry in one.entries],
            "more": one.more,
            "next": [{"command": command, "what": what} for command, what in one.next_steps],
            "link": one.link,
        },
    }
