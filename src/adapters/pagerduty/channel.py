"""Alerts of PagerDuty, through its Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...application.ports.http_client import HttpClient
from ...domain.announcement import Announcement, one_line
from ...domain.errors import NotDelivered, PostFailed
from ...domain.webhook_url import WebhookUrl

EVENTS = "https://events.pagerduty.com/v2/enqueue"
_SUMMARY = 1024
_KEY = 255
_TEXT = 8_000
_SEVERITY = {"test": "info", "run.lost": "critical"}


class PagerDutyChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` with one address for each service.

    One trouble is one alert: it is triggered and resolved by the same ``dedup_key``, so told twice it stays one, and
    each notice goes out alone: PagerDuty groups them itself.
    """

    name = "pagerduty"
    alone = True

    def __init__(self, client: HttpClient, url: WebhookUrl, keys: Mapping[str, str]) -> None:
        """``keys``: the routing key of each service."""
        self._client = client
        self._url = url
        self._keys = keys

    @property
    def addresses(self) -> tuple[str, ...]:
        """See the port: the names that the settings give the services."""
        return tuple(self._keys)

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        body = msgspec.json.encode(event(announcement, message_id, self._keys[address]))
        try:
            answer = await self._client.post(self._url, body)
        except PostFailed as failed:
            raise NotDelivered(str(failed), channel_down=True) from failed
        if 200 <= answer.status < 300:
            return
        why = f"{self._url.shown} answered {answer.status} {one_line(answer.text, 100)}".strip()
        again = answer.status == 429 or answer.status >= 500
        raise NotDelivered(why, permanent=not again, retry_after=answer.retry_after, channel_down=again)


def event(announcement: Announcement, message_id: str, routing_key: str) -> dict[str, Any]:
    """The event; a resolved one needs no more than its key."""
    one = announcement
    made: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "resolve" if one.resolves else "trigger",
        "dedup_key": (one.key or message_id)[:_KEY],
    }
    if one.resolves:
        return made
    payload: dict[str, Any] = {
        "summary": one_line(f"{one.title}: {one.summary}", _SUMMARY),
        "source": one.pipeline or "kubescribe",
        "severity": _SEVERITY.get(one.kind, "error"),
        "component": one.pipeline or "kubescribe",
        "group": "kubescribe",
        "class": one.kind,
        "custom_details": {
            **dict(one.facts),
            "message": (one.text or "")[:_TEXT],
            "last lines": "\n".join(one.lines)[-_TEXT:],
            "next": "\n".join(f"{command}   ({what})" for command, what in one.next_steps),
            "message id": message_id,
        },
    }
    if one.at is not None:
        payload["timestamp"] = one.at
    made |= {"payload": payload, "client": "KubeScribe"}
    if one.link:
        made |= {"client_url": one.link, "links": [{"href": one.link, "text": "Open the run"}]}
    return made
