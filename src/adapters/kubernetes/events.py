"""What the cluster has said of its objects: the only word of a Job that can make no pod, and gone after an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from ...domain.errors import ClusterRefused, ClusterUnavailable
from ...domain.storable import storable_text
from .connection import ApiServer, decoded, path_of
from .objects import Event, Page

_EVENTS = 20
"""Of one object, the latest."""
_PAGE = 500
_NEW_ENOUGH = 5.0
"""Seconds, for which one look at a namespace serves all of its Jobs."""
_FAILED_CREATE = {"fieldSelector": "involvedObject.kind=Job,reason=FailedCreate", "limit": _PAGE}


class Told(NamedTuple):
    """One event of an object."""

    at: datetime
    """When it was said last."""
    since: datetime
    words: str
    """For people."""
    reason: str


async def events_of(api: ApiServer, namespace: str, uid: str) -> list[str]:
    """What was said of an object, oldest first, for people; raises as the API server does."""
    return [one.words for one in await told_of(api, namespace, uid)]


async def told_of(api: ApiServer, namespace: str, uid: str) -> list[Told]:
    """The same, with when and why it was said."""
    query: dict[str, object] = {"fieldSelector": f"involvedObject.uid={uid}", "limit": 200}
    body = await api.read(path_of("events", namespace), query)
    return [] if body is None else _told(_read(decoded(body, Page, "list of events")))


class _Look(NamedTuple):
    at: float
    said: dict[str, list[Event]]
    """By the Job's UID."""
    failure: ClusterUnavailable | ClusterRefused | None


class FailedCreates:
    """Why Jobs can make no pods. One look serves all Jobs of a namespace: thousands may wait, in each pass."""

    def __init__(self, api: ApiServer, monotonic: Callable[[], float]) -> None:
        """``monotonic``: seconds since some moment in the past."""
        self._api, self._monotonic = api, monotonic
        self._looks: dict[str, _Look] = {}

    async def of(self, namespace: str, uid: str) -> list[str]:
        """What was said of a Job's pods that could not be made, oldest first; raises as the API server does."""
        look = self._looks.get(namespace)
        if look is None or self._monotonic() - look.at >= _NEW_ENOUGH:
            look = self._looks[namespace] = await self._look(namespace)
        if look.failure is not None:
            raise look.failure
        return [one.words for one in _told(look.said.get(uid, ()))]

    async def _look(self, namespace: str) -> _Look:
        """A failure serves all of them too: a server that does not answer is not asked by each Job in turn."""
        said: dict[str, list[Event]] = {}
        query: dict[str, object] = dict(_FAILED_CREATE)
        try:
            while True:
                body = await self._api.read(path_of("events", namespace), query)
                if body is None:
                    break
                page = decoded(body, Page, "list of events")
                for event in _read(page):
                    said.setdefault(event.involved_object.uid or "", []).append(event)
                if not page.metadata.next:
                    break
                query["continue"] = page.metadata.next
        except (ClusterUnavailable, ClusterRefused) as failure:
            return _Look(self._monotonic(), {}, failure)
        return _Look(self._monotonic(), said, None)


def _read(page: Page) -> list[Event]:
    found = []
    for item in page.items or ():
        try:
            found.append(msgspec.json.decode(item, type=Event))
        except (msgspec.MsgspecError, ValueError):
            continue  # one that cannot be read is no evidence
    return found


def _told(events: Iterable[Event]) -> list[Told]:
    found = []
    for event in events:
        at = event.last_timestamp or event.event_time or datetime.min.replace(tzinfo=UTC)
        times = f" ({event.count} times)" if (event.count or 1) > 1 else ""
        words = storable_text(f"{event.reason}: {event.message}{times}", 1000)
        found.append(Told(at, event.first_timestamp or at, words, event.reason or ""))
    found.sort(key=lambda one: one.at)
    return found[-_EVENTS:]
