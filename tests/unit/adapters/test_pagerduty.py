"""What PagerDuty is sent: one alert for one trouble, which is resolved by the key that triggered it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubescribe.adapters.memory.http_client import MemoryHttpClient
from kubescribe.adapters.pagerduty.channel import EVENTS, PagerDutyChannel, event
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.domain.errors import NotDelivered
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.announcements import an_announcement

URL = WebhookUrl.parse(EVENTS, "PAGERDUTY_URL")
KEY = "0123456789abcdef0123456789abcdef"


def test_a_trouble_is_triggered_and_resolved_by_one_key() -> None:
    at = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    trouble = "kubescribe:default:incident:7"
    triggered = event(an_announcement(pipeline="sales", key=trouble, at=at), "7.8", KEY)
    resolved = event(an_announcement(pipeline="sales", key=trouble, resolves=True), "9.8", KEY)
    assert triggered["event_action"] == "trigger" and triggered["routing_key"] == KEY
    payload = triggered["payload"]
    assert payload["summary"] == "sales failed: exit_code: A run of pipeline sales failed."
    assert (payload["source"], payload["severity"], payload["timestamp"]) == ("sales", "error", at)
    assert payload["custom_details"]["cause"] == "exit_code" and payload["custom_details"]["message"] == "it broke"
    assert triggered["links"] == [{"href": "https://ks.example.org/runs/7", "text": "Open the run"}]
    assert resolved == {"routing_key": KEY, "event_action": "resolve", "dedup_key": trouble}
    assert triggered["dedup_key"] == trouble
    assert event(an_announcement(), "7.8", KEY)["dedup_key"] == "7.8", "without a trouble a message is one of its own"


def test_everything_is_within_its_limits() -> None:
    huge = "x" * 5_000_000
    made = event(an_announcement(title=huge, summary=huge, text=huge, lines=(huge,), key=huge), "7.8", KEY)
    assert len(made["payload"]["summary"]) <= 1024 and len(made["dedup_key"]) <= 255
    assert len(msgspec.json.encode(made)) < 512_000


@pytest.mark.parametrize(
    ("answer", "permanent", "after"),
    [
        (HttpAnswer(status=429, retry_after=7.0), False, 7.0),
        (HttpAnswer(status=500), False, None),
        (HttpAnswer(status=400, text="invalid event"), True, None),
        (HttpAnswer(status=403), True, None),
        ("no answer", False, None),
    ],
)
def test_what_is_not_taken_is_said(answer: Any, permanent: bool, after: float | None) -> None:
    client = MemoryHttpClient()
    client.answers = [answer]
    with pytest.raises(NotDelivered) as caught:
        asyncio.run(PagerDutyChannel(client, URL, {"service": KEY}).send(an_announcement(), "service", "7.8"))
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, after)
    assert KEY not in str(caught.value)


def test_each_service_has_its_own_key() -> None:
    client = MemoryHttpClient()
    channel = PagerDutyChannel(client, URL, {"a": "1" * 32, "b": "2" * 32})
    assert channel.addresses == ("a", "b") and channel.alone
    client.answers = [HttpAnswer(status=202)]
    asyncio.run(channel.send(an_announcement(), "b", "7.8"))
    assert msgspec.json.decode(client.posted[0][1])["routing_key"] == "2" * 32
