"""Telling people: who it reaches, that it is recognised, and what is said of what they did not get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network

import msgspec
import pytest

from kubescribe.adapters.apprise.channel import AppriseChannel
from kubescribe.adapters.http.client import StandardHttpClient
from kubescribe.adapters.http.guarded import GuardedHttpClient
from kubescribe.adapters.memory.channel import MemoryChannel
from kubescribe.adapters.pagerduty.channel import PagerDutyChannel
from kubescribe.adapters.slack.channel import SlackChannel
from kubescribe.adapters.smtp.channel import SmtpChannel
from kubescribe.adapters.webhook.channel import WebhookChannel
from kubescribe.application.ports.channel import Channel
from kubescribe.domain.announcement import Entry, last_lines, one_line, printable
from kubescribe.domain.errors import NotDelivered
from kubescribe.domain.reachable import Reachable
from kubescribe.domain.smtp_url import SmtpUrl
from kubescribe.domain.webhook_target import WebhookTarget
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
    says_why: bool = True
    """Whether a refusal says if it is for good."""


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


def posted(stack: ExitStack, channel: Callable[[int], Channel], *, says_why: bool = True) -> World:
    """A channel that posts to a sink of which it is told the port."""
    sink = stack.enter_context(http_sink())
    return World(
        channel=channel(sink.port),
        got=lambda: [body.decode() for _, body in sink.posts],
        refuse=lambda for_good: sink.answers.append((403 if for_good else 503, {}, b"no")),
        says_why=says_why,
    )


def by_webhook(stack: ExitStack) -> World:
    client = GuardedHttpClient(Reachable(networks=(ip_network("127.0.0.0/8"),)))

    def channel(port: int) -> Channel:
        url = WebhookUrl.parse(f"http://127.0.0.1:{port}/hooks/sesame", "X")
        targets = {name: WebhookTarget.of(url, "a secret of the two of us", "X") for name in ("ops", "audit")}
        return WebhookChannel(client, targets, now=lambda: 1.0)

    return posted(stack, channel)


def by_pagerduty(stack: ExitStack) -> World:
    keys = {"days": "sesame" + "1" * 26, "nights": "sesame" + "2" * 26}
    url = "http://127.0.0.1:{}/v2/enqueue"
    return posted(
        stack,
        lambda port: PagerDutyChannel(StandardHttpClient(), WebhookUrl.parse(url.format(port), "X"), keys),
    )


def by_apprise(stack: ExitStack) -> World:
    return posted(
        stack,
        lambda port: AppriseChannel({name: f"json://127.0.0.1:{port}/{name}/sesame" for name in ("a", "b")}),
        says_why=False,
    )


INTEGRATION = pytest.mark.integration


REAL = (by_mail, by_slack, by_webhook, by_pagerduty, by_apprise)


@pytest.fixture(params=[in_memory, *(pytest.param(made, marks=INTEGRATION) for made in REAL)])
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
    assert refused.value.permanent is (for_good and world.says_why)
    assert refused.value.why and "sesame" not in str(refused.value)
    assert world.got() == []
    send(world, world.channel.addresses[0])
    assert len(world.got()) == 1


HOSTILE = (
    "<!channel> <!here|x> <@U123> <https://evil.example.org|click> @everyone @here [x](javascript:alert(1))",
    "x\r\nBcc: evil@example.org\r\n\r\nbody",
    "=?utf-8?q?a=0ABcc:_evil=40example.org?=",
    "<script>alert(1)</script>\u202egnp.exe\x1b[31m\0\ud800",
    "x" * 5_000_000,
)


@pytest.mark.parametrize("evil", HOSTILE, ids=["mentions", "lines", "words", "markup", "huge"])
def test_hostile_text_mentions_nobody_and_stays_in_bounds(world: World, evil: str) -> None:
    """As it comes out of the use case, which takes what cannot be printed away and cuts what is long; see FAULTS N9."""
    shown = printable(evil)
    title = one_line(evil, 150)
    message = an_announcement(
        title=title,
        summary=shown,
        text=shown,
        lines=last_lines((evil,)),
        facts=((title, one_line(evil, 300)),),
        entries=(Entry(title, one_line(evil, 300)),),
        pipeline=title,
        key=one_line(evil, 200),
    )
    asyncio.run(world.channel.send(message, world.channel.addresses[0], ID))
    (got,) = world.got()
    assert len(got) < 200_000
    assert "\0" not in got and "\x1b" not in got and "\u202e" not in got and "\\u0000" not in got
    if world.channel.name in ("slack", "apprise"):
        assert "<!" not in got and "<@" not in got and "|click>" not in got
    if world.channel.name == "apprise":
        assert "@everyone" not in got and "@here" not in got
    if world.channel.name == "email":
        head = got.partition("\r\n\r\n")[0].lower()
        assert "\nbcc:" not in head and "<script" not in got.partition("Content-Type: text/html")[2]
    assert not any(line.lower().startswith("bcc:") for line in got.partition("\r\n\r\n")[0].splitlines())
