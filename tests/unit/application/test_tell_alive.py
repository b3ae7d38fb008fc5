"""The heartbeat to the outside: it tells of well and of not well, and is silent where another process leads."""

from __future__ import annotations

import asyncio

import pytest

from kubescribe.adapters.memory.http_client import MemoryHttpClient
from kubescribe.application.keep_reconciling import Standing
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.application.tell_alive import EVERY, STALE, TellAlive
from kubescribe.domain.errors import PostFailed
from kubescribe.domain.webhook_url import WebhookUrl

URL = WebhookUrl("https://hc.example.org/ping/sesame?rid=1")


class Watch:
    """A heartbeat whose reconciler is as the test says, at a time that the test makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = MemoryHttpClient()
        self.standing: Standing | None = None
        self.now = 1000.0
        self.alive = TellAlive(
            self.client, URL, lambda: self.standing, hidden=lambda text: text.replace("sesame", "•••")
        )
        self._monkeypatch = monkeypatch

    def look(self, *, leads: bool = True, ago: float = 0.0, problems: tuple[str, ...] = (), later: float = 5.0) -> int:
        """One look; how many posts there were until now."""
        self.now += later
        self.standing = Standing(leads, self.now - ago, problems)

        async def look() -> None:
            self._monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
            await self.alive()

        asyncio.run(look())
        return len(self.client.posted)

    @property
    def last(self) -> str:
        return self.client.posted[-1][0].url.removeprefix("https://hc.example.org/ping/")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def test_a_pass_that_goes_well_is_told_once_a_minute(watch: Watch) -> None:
    asyncio.run(watch.alive())
    assert watch.client.posted == [], "it has not begun"
    assert watch.look() == 1 and watch.last == "sesame?rid=1"
    assert watch.look() == 1 and watch.look(later=EVERY) == 2


def test_a_change_is_told_at_once(watch: Watch) -> None:
    watch.look()
    assert watch.look(problems=("RunLog is away",)) == 2
    assert watch.last == "sesame/fail?rid=1" and watch.client.posted[-1][1] == b"RunLog is away"
    assert watch.look(problems=("RunLog is away",)) == 2
    assert watch.look() == 3 and watch.last == "sesame?rid=1"
    assert watch.look(ago=STALE + 1) == 4 and watch.last == "sesame/fail?rid=1"


def test_a_problem_takes_no_secret_outside(watch: Watch) -> None:
    watch.look(problems=("x" * 990 + " postgresql://ks:sesame@db is away",))
    assert b"sesame" not in watch.client.posted[-1][1] and b"ses" not in watch.client.posted[-1][1]


def test_who_does_not_lead_is_silent_until_nobody_does(watch: Watch) -> None:
    assert watch.look(leads=False, ago=30) == 0
    assert watch.look(leads=False, ago=STALE + 1) == 1 and watch.last == "sesame/fail?rid=1"


@pytest.mark.parametrize("answer", [HttpAnswer(status=503), "no answer"])
def test_a_ping_that_was_not_taken_is_given_again(watch: Watch, answer: HttpAnswer | str) -> None:
    watch.client.answers = [answer]
    with pytest.raises(PostFailed) as caught:
        watch.look()
    assert "sesame" not in str(caught.value)
    assert watch.look() == 2
