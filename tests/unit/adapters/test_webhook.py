"""What a webhook is posted: signed as Standard Webhooks ask for, the same id at every try."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubescribe.adapters.memory.http_client import MemoryHttpClient
from kubescribe.adapters.webhook.channel import WebhookChannel
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.domain.announcement import Entry
from kubescribe.domain.errors import BadSetting, NotDelivered
from kubescribe.domain.webhook_target import WebhookTarget
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.announcements import an_announcement

URL = WebhookUrl.parse("https://hooks.example.org/open-sesame", "X")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1614265330.7


def channel(client: MemoryHttpClient, *names: str) -> WebhookChannel:
    targets = {name: WebhookTarget.of(URL, SECRET, "S") for name in names or ("ops",)}
    return WebhookChannel(client, targets, now=lambda: NOW)


def test_a_sample_of_the_standard() -> None:
    """The one that the standard's own libraries are tested with."""
    target = WebhookTarget.of(URL, SECRET, "S")
    signature = target.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_post_is_signed_with_its_id_and_its_time() -> None:
    client = MemoryHttpClient()
    at = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    said = an_announcement(entries=(Entry("a", "failed"),), more=3, pipeline="sales", key="k", at=at)
    for _ in range(2):
        asyncio.run(channel(client).send(said, "ops", "7.8"))
    ((_, body), (_, again)), (headers, _) = client.posted, client.headers
    assert body == again
    mine = hmac.new(b"1\xf2\x90\xf6\xbf\x06)\x8a\xabO\x08\xd4<?\x08,\xf6H\xa3b\xda-\xa4\xb0", digestmod=hashlib.sha256)
    mine.update(b"7.8.1614265330." + body)
    assert headers == {
        "webhook-id": "7.8",
        "webhook-timestamp": "1614265330",
        "webhook-signature": f"v1,{b64encode(mine.digest()).decode()}",
    }
    read = msgspec.json.decode(body)
    assert (read["type"], read["id"], read["timestamp"]) == ("run.failed", "7.8", "2026-11-22T05:00:00Z")
    data = read["data"]
    assert (data["pipeline"], data["key"], data["resolved"], data["more"]) == ("sales", "k", False, 3)
    assert data["facts"] == {"pipeline": "sales", "cause": "exit_code"} and data["lines"] == ["one", "two"]
    assert data["entries"] == [{"pipeline": "a", "text": "failed", "link": None}]


def test_another_body_id_time_or_secret_has_another_signature() -> None:
    target, other = WebhookTarget.of(URL, SECRET, "S"), WebhookTarget.of(URL, "another secret of ours", "S")
    signatures = {
        target.signature("1", 1, b"a"),
        target.signature("1", 1, b"b"),
        target.signature("2", 1, b"a"),
        target.signature("1", 2, b"a"),
        other.signature("1", 1, b"a"),
    }
    assert len(signatures) == 5 and WebhookTarget.of(URL, None, "S").signature("1", 1, b"a") is None


@pytest.mark.parametrize(
    "secret", ["short", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_MfKQ9r8GKYqrTwjUPD8ILP"]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(BadSetting) as caught:
        WebhookTarget.of(URL, secret, "OPS_SECRET")
    assert "OPS_SECRET" in str(caught.value)
    written = secret.removeprefix("whsec_")
    assert not written or written not in str(caught.value)


def test_what_is_secret_is_said() -> None:
    target = WebhookTarget.of(URL, SECRET, "S")
    assert {URL.url, "open-sesame", SECRET, SECRET[6:]} <= set(target.secrets())
    assert "sesame" not in repr(target) and SECRET[6:] not in repr(target)


@pytest.mark.parametrize(
    ("answer", "permanent", "after"),
    [
        (HttpAnswer(status=429, retry_after=7.0), False, 7.0),
        (HttpAnswer(status=503), False, None),
        (HttpAnswer(status=408), False, None),
        (HttpAnswer(status=301), True, None),
        (HttpAnswer(status=410, text="gone"), True, None),
        ("no answer", False, None),
    ],
)
def test_what_is_not_taken_is_said(answer: Any, permanent: bool, after: float | None) -> None:
    for names in (("ops",), ("ops", "others")):
        client = MemoryHttpClient()
        client.answers = [answer]
        with pytest.raises(NotDelivered) as caught:
            asyncio.run(channel(client, *names).send(an_announcement(), "ops", "7.8"))
        error = caught.value
        assert (error.permanent, error.retry_after) == (permanent, after)
        # One of several that is down says nothing of the others.
        assert error.channel_down is (not permanent and len(names) == 1)
        assert "sesame" not in str(error) and "hooks.example.org" in str(error)
