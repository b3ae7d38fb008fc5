"""Who follows is cut off at any byte and comes back: nothing is missing, and nothing comes twice."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.support.api_process import ApiProcess
from tests.support.proxy import Proxy
from tests.support.sse import Message, texts

from .test_serving import record, trigger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CUTS = 50


class Follower:
    """Follows one stream to its end, however often it is cut off."""

    def __init__(self, api: ApiProcess, proxy: Proxy, dice: random.Random) -> None:
        self._api, self._proxy, self._dice = api.behind(proxy.port), proxy, dice
        self.cuts = 0

    def whole(self, path: str, longest: int) -> list[Message]:
        """Everything that was told; connections are cut after so many bytes at most, until there were enough cuts."""
        told: list[Message] = []
        while True:
            self._proxy.cut_after(self._dice.randint(1, longest) if self.cuts < CUTS else None)
            headers = {"Last_Event_ID": told[-1]["id"]} if told else {}
            for message in self._until_cut(path, headers):
                if message["event"] == "end":
                    return told
                told.append(message)
            self.cuts += 1

    def _until_cut(self, path: str, headers: dict[str, str]) -> Iterator[Message]:
        try:
            with self._api.stream(path, **headers) as messages:
                while (message := messages.next()) is not None:
                    yield message
        except (OSError, http.client.HTTPException):
            return


@pytest.fixture
def follower(api: ApiProcess) -> Iterator[Follower]:
    with Proxy(api.port) as proxy:
        yield Follower(api, proxy, random.Random(4))


def test_a_log(api: ApiProcess, follower: Follower, tmp_path: Path) -> None:
    run = trigger(api, "chatter", file=str(tmp_path / "second"))
    path = f"/runs/{run}/logs?follow=true"
    followings = [follower.whole(path, 4000)]  # while it is at work
    while follower.cuts < CUTS:
        followings.append(follower.whole(path, 12_000))
    lines = api.ask("GET", f"/runs/{run}/logs")[2].decode().splitlines()
    assert (
        [line.split()[0] for line in lines].count("first") == [line.split()[0] for line in lines].count("again") == 150
    )
    for told in followings:
        assert [text for message in told for text in texts(message)] == lines
    assert record(api, run)["status"] == "succeeded"


def test_events(api: ApiProcess, follower: Follower, tmp_path: Path) -> None:
    run = trigger(api, "chatter", file=str(tmp_path / "second"))
    path = f"/runs/{run}/events?follow=true"
    followings = [follower.whole(path, 1500)]
    while follower.cuts < CUTS:
        followings.append(follower.whole(path, 3000))
    events = msgspec.json.decode(api.ask("GET", f"/runs/{run}/events")[2])["items"]
    assert len(events) > 3
    for told in followings:
        assert [msgspec.json.decode(message["data"]) for message in told] == events
