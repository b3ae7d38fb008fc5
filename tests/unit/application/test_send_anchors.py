"""The head of each chain is sent outside daily: at least once, and not again while nothing has happened."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.support.builders import LONG_AGO

from kubescribe.adapters.memory.anchor_target import MemoryAnchors
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.event_chain import MemoryEventChain
from kubescribe.application.audit_events import SealEvents, SendAnchors
from kubescribe.domain.errors import AnchorNotSent
from kubescribe.domain.event import Event

DAY = timedelta(days=1).total_seconds()


class Scene:
    def __init__(self) -> None:
        self.database, self.target = MemoryRunLogDatabase(), MemoryAnchors()
        self.chain = MemoryEventChain(self.database)
        self.send = SendAnchors(self.chain, self.target)

    def happens(self, tenant: str = "default") -> None:
        self.database.record(Event(subject="x", kind="x.done", actor="user:ann", at=LONG_AGO, tenant=tenant))
        asyncio.run(SealEvents(self.chain)())

    def sent(self) -> list[tuple[str, int]]:
        """What one look sends."""
        return [(one.tenant, one.position) for one in asyncio.run(self.send())]


def test_it_goes_once_a_day_and_only_if_something_has_happened() -> None:
    scene = Scene()
    assert scene.sent() == [], "there is nothing to anchor yet"
    scene.happens()
    assert scene.sent() == [("default", 1)], "the first at once"
    scene.happens()
    scene.database.advance(DAY - 60)
    assert scene.sent() == [], "the day is not over"
    scene.database.advance(120)
    assert scene.sent() == [("default", 2)]
    scene.database.advance(3 * DAY)
    assert scene.sent() == [], "it is where it was"
    scene.happens()
    assert scene.sent() == [("default", 3)], "the last was sent days ago"
    assert [one.position for one in scene.target.taken] == [1, 2, 3]


def test_each_tenants_goes() -> None:
    scene = Scene()
    scene.happens()
    scene.happens("other")
    scene.happens("other")
    assert scene.sent() == [("default", 1), ("other", 2)]


def test_what_was_not_taken_is_sent_at_the_next_look() -> None:
    scene = Scene()
    scene.happens()
    scene.target.available = False
    with pytest.raises(AnchorNotSent):
        scene.sent()
    assert asyncio.run(scene.chain.anchors("default")) == ()
    scene.target.available = True
    assert scene.sent() == [("default", 1)]
    assert [one.position for one in asyncio.run(scene.chain.anchors("default"))] == [1]
