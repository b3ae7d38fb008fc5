"""Telling people: who it reaches, that it is recognised, and what is said of what they did not get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import msgspec
import pytest

from kubescribe.adapters.http.client import StandardHttpClient
from kubescribe.adapters.memory.channel import MemoryChannel
from kubescribe.adapters.slack.channel import SlackChannel
from kubescribe.adapters.smtp.channel import SmtpChannel
from kubescribe.application.ports.channel import Channel
from kubescribe.domain.errors import NotDelivered
from kubescribe.domain.smtp_url import SmtpUrl
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.announcements import an_announcement
from tests.support.http_sink import http_sink
from tests.support.smtp_sink import mail_sink

ID = "7.0197a000-0000-7000-8000-000000000000"


class World(msgspec.Struct):
    """A channel, what came out at its other end, and how that end refuses the next message: for now, or for good."""

    channel: Channel
    got: Callable[[], list[str]]
    """Each message's text, its id somewhere in it."""
    refuse: Callable[[bool], None]


def in_memory(_stack: ExitStack) -> World:
    channel = MemoryChannel("memory", ("ann", "bob"))
    return World(
        channel=channel,
        got=lambda: [f"{message.title} {message_id} {address}" for address, message_id, message in channel.taken],
        refuse=lambda for_good: channel.answers.append(NotDelivered("not now", permanent=for_good)),
    )


def by_mail(stack: ExitStack) -> World:
    sink = stack.enter_context(mail_sink())
    url = SmtpUrl.parse(f"smtp://localhost:{sink.port}?insecure=true")
    return World(
        channel=SmtpChannel(url, sender="ks@example.org", addresses=("ann@example.org", "bob@example.org")),
        got=lambda: [one.raw.decode() for one in sink.received],
        refuse=lambda for_good: sink.plan.append("554 not this" if for_good else "451 not now"),
    )


def by_slack(stack: ExitStack) -> World:
    sink = stack.enter_context(http_sink())
    url = WebhookUrl.parse(f"http://127.0.0.1:{sink.port}/services/sesame", "SLACK_WEBHOOK_URL")
    return World(
        channel=SlackChannel(StandardHttpClient(), {"webhook": url}),
        got=lambda: [body.decode() for _, body in sink.posts],
        refuse=lambda for_good: sink.answers.append((403 if for_good else 429, {"Retry-After": "1"}, b"no")),
    )


INTEGRATION = pytest.mark.integration


@pytest.fixture(params=[in_memory, pytest.param(by_mail, marks=INTEGRATION), pytest.param(by_slack, marks=INTEGRATION)])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        yield request.param(stack)


def send(world: World, address: str) -> None:
    asyncio.run(world.channel.send(an_announcement(), address, ID))


def test_each_address_gets_a_message_of_its_own(world: World) -> None:
    assert world.channel.name and world.channel.addresses
    for address in world.channel.addresses:
        send(world, address)
    assert len(world.got()) == len(world.channel.addresses)
    assert all(an_announcement().title in text for text in world.got())


def test_told_twice_people_see_that_it_is_the_same(world: World) -> None:
    for _ in range(2):
        send(world, world.channel.addresses[0])
    assert len(world.got()) == 2 and all(ID in text for text in world.got())


@pytest.mark.parametrize("for_good", [False, True])
def test_what_was_refused_says_whether_another_try_may_help(world: World, for_good: bool) -> None:
    world.refuse(for_good)
    with pytest.raises(NotDelivered) as refused:
        send(world, world.channel.addresses[0])
    assert refused.value.permanent is for_good
    assert refused.value.why and "sesame" not in str(refused.value)
    assert world.got() == []
    send(world, world.channel.addresses[0])
    assert len(world.got()) == 1
