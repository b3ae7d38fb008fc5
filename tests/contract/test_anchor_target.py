"""Where anchors go: each is kept as it is, and what may not have arrived is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from kubescribe.adapters.http.client import StandardHttpClient
from kubescribe.adapters.local.anchor_file import AnchorFile
from kubescribe.adapters.memory.anchor_target import MemoryAnchors
from kubescribe.adapters.memory.http_client import MemoryHttpClient
from kubescribe.adapters.webhook.anchor_target import WebhookAnchors
from kubescribe.application.ports.anchor_target import AnchorTarget
from kubescribe.domain.errors import AnchorNotSent
from kubescribe.domain.event_chain import Anchor
from kubescribe.domain.webhook_url import WebhookUrl
from tests.support.http_sink import http_sink

NAME = "KUBESCRIBE_AUDIT_ANCHOR"


def an_anchor(position: int) -> Anchor:
    return Anchor(
        tenant="default", position=position, digest=f"{position:064x}", at=datetime(2026, 3, 1, 5, tzinfo=UTC)
    )


class World(msgspec.Struct):
    """A target, what it has, and a way to take it away."""

    target: AnchorTarget
    kept: Callable[[], list[Anchor]]
    away: Callable[[], None]
    secret: str = "no secret"


def in_memory(_stack: ExitStack, _folder: Path) -> World:
    target = MemoryAnchors()
    return World(target=target, kept=lambda: target.taken, away=lambda: setattr(target, "available", False))


def in_a_file(_stack: ExitStack, folder: Path) -> World:
    file = folder / "there" / "anchors.jsonl"
    file.parent.mkdir()

    def kept() -> list[Anchor]:
        assert file.read_bytes().endswith(b"\n")
        return [msgspec.json.decode(line, type=Anchor) for line in file.read_bytes().splitlines()]

    def away() -> None:
        file.unlink(missing_ok=True)
        file.parent.rmdir()

    return World(target=AnchorFile(file), kept=kept, away=away)


def by_webhook(stack: ExitStack, _folder: Path) -> World:
    sink = stack.enter_context(http_sink())
    url = WebhookUrl.parse(f"http://127.0.0.1:{sink.port}/sesame", NAME)
    return World(
        target=WebhookAnchors(StandardHttpClient(), url),
        kept=lambda: [msgspec.json.decode(body, type=Anchor) for _, body in sink.posts],
        away=lambda: sink.answers.append((503, {}, b"")),
        secret="sesame",
    )


@pytest.fixture(params=[in_memory, in_a_file, pytest.param(by_webhook, marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        yield request.param(stack, tmp_path)


def test_each_is_kept_as_it_is_and_twice_is_harmless(world: World) -> None:
    anchors = [an_anchor(1), an_anchor(2), an_anchor(2)]
    for anchor in anchors:
        asyncio.run(world.target.take(anchor))
    assert world.kept() == anchors
    assert world.secret not in world.target.name and world.target.name


def test_what_may_not_have_arrived_is_said(world: World) -> None:
    world.away()
    with pytest.raises(AnchorNotSent) as refused:
        asyncio.run(world.target.take(an_anchor(1)))
    assert world.target.name in str(refused.value) and world.secret not in str(refused.value)


def test_a_webhook_that_does_not_answer_is_said() -> None:
    client = MemoryHttpClient()
    client.answers = ["no answer within 10 s"]
    target = WebhookAnchors(client, WebhookUrl.parse("https://example.org/sesame", NAME))
    with pytest.raises(AnchorNotSent, match="no answer within 10 s"):
        asyncio.run(target.take(an_anchor(1)))
