"""What Slack is sent: no text mentions anybody, and every block is within Slack's limits."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.adapters.memory.http_client import MemoryHttpClient
from kubescribe.adapters.slack.channel import SlackChannel, payload
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.domain.errors import NotDelivered
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.announcements import an_announcement

URL = WebhookUrl.parse("https://hooks.example.org/services/T0/B0/secret", "SLACK_WEBHOOK_URL")


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else []


def test_a_message_says_all_of_it() -> None:
    whole = "\n".join(texts(payload(an_announcement(), "7.8")))
    for said in (
        "*sales failed: exit_code*",
        "*cause:* exit_code",
        "it broke",
        "one\ntwo",
        "`kubescribe show 7`",
        "7.8",
    ):
        assert said in whole
    assert "<https://ks.example.org/runs/7|Open the run>" in whole


EVIL = ["<!channel>", "<!here|x>", "<@U123>", "<#C1>", "<http://evil|click>", "&lt;!channel&gt;"]


@pytest.mark.parametrize("evil", EVIL)
def test_nobody_is_mentioned(evil: str) -> None:
    everywhere = {"title": evil, "summary": evil, "text": evil, "lines": (evil,), "facts": ((evil, evil),)}
    built = payload(an_announcement(**everywhere, next_steps=((evil, evil),), link=None), "1")
    for text in texts(built):
        assert "<" not in text
        assert "&lt;!channel&gt;" not in text or evil == "<!channel>"


@given(st.text(max_size=6000), st.sampled_from(["", "```", "&" * 4000, "<" * 4000]))
def test_every_block_is_within_the_limits(text: str, more: str) -> None:
    text += more
    built = payload(an_announcement(title=text[:150], summary=text[:500], text=text[:4000], lines=(text[:8000],)), "1")
    assert len(built["blocks"]) <= 50
    for block in built["blocks"]:
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
            assert block["text"]["verbatim"] is True
    quoted = [one for block in built["blocks"] if "```" in (one := block.get("text", {}).get("text", ""))]
    for one in quoted[-(2 if text else 1) :]:
        assert one.count("```") == 2 and one.endswith("```")


def send(answer: HttpAnswer | str) -> MemoryHttpClient:
    client = MemoryHttpClient()
    client.answers = [answer]
    asyncio.run(SlackChannel(client, {"webhook": URL}).send(an_announcement(), "webhook", "7.8"))
    return client


def test_a_taken_message_was_posted_once() -> None:
    client = send(HttpAnswer(status=200, text="ok"))
    ((url, body),) = client.posted
    assert url == URL and msgspec.json.decode(body)["text"] == "sales failed: exit_code"


@pytest.mark.parametrize(
    ("answer", "permanent", "down", "after"),
    [
        (HttpAnswer(status=429, retry_after=7.0), False, True, 7.0),
        (HttpAnswer(status=500), False, True, None),
        (HttpAnswer(status=503, retry_after=60.0), False, True, 60.0),
        (HttpAnswer(status=302), True, False, None),
        (HttpAnswer(status=400, text="invalid_payload"), True, False, None),
        (HttpAnswer(status=404, text="no_service"), True, False, None),
        ("no answer", False, True, None),
    ],
)
def test_what_is_not_taken_is_said(answer: Any, permanent: bool, down: bool, after: float | None) -> None:
    with pytest.raises(NotDelivered) as caught:
        send(answer)
    error = caught.value
    assert (error.permanent, error.channel_down, error.retry_after) == (permanent, down, after)
    assert "secret" not in str(error) and "hooks.example.org" in str(error)
