"""Whatever can be asked over HTTP, asked over HTTP: the same door before every world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from kubescribe.domain.report_query import Operator, RowQuery
from kubescribe.domain.run_mode import RunMode
from tests.support.sse import Messages, texts

from .world import Browsed, Ended, Follower, Listing, World


class Client(Protocol):
    """Who asks; with the credentials of an administrator."""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers, body."""
        ...

    def stream(self, path: str, **headers: str) -> AbstractContextManager[Messages]:
        """Follow."""
        ...


class ThroughApi(World):
    """A world before which the API stands. What cannot be asked there is asked as in the world behind it."""

    @property
    def client(self) -> Client:
        """Who asks."""
        raise NotImplementedError

    @property
    def actor(self) -> str:
        return str(msgspec.json.decode(self.client.ask("GET", "/session")[2])["actor"])

    def trigger(self, pipeline: str, parameters: dict[str, str], *, key: str | None = None) -> Ended:
        return self._trigger(pipeline, parameters, key, RunMode.PUBLISH)

    def retry(self, run_id: UUID, *, key: str | None = None) -> Ended:
        return self._post(f"/runs/{run_id}/retry", {}, key)

    def cancel(self, run_id: UUID, *, reason: str) -> Ended:
        ended = self._post(f"/runs/{run_id}/cancel", {"reason": reason})
        if ended.done:
            self.until_ended(run_id)
        return ended

    def pause(self, pipeline: str, *, reason: str) -> None:
        ended = self._post(f"/pipelines/{pipeline}/pause", {"reason": reason})
        assert ended.done, ended.told

    def resume(self, pipeline: str) -> None:
        ended = self._post(f"/pipelines/{pipeline}/resume", {})
        assert ended.done, ended.told

    def roll_back(self, report: str, *, to: int | None, reason: str | None) -> Ended:
        return self._post(f"/reports/{report}/rollback", {"to": to, "reason": reason})

    def page(self, limit: int, after: str | None) -> Listing:
        query = urlencode({"limit": limit} | ({} if after is None else {"cursor": after}))
        status, _, body = self.client.ask("GET", f"/runs?{query}")
        assert status == 200, body
        page = msgspec.json.decode(body)
        return Listing([UUID(one["id"]) for one in page["items"]], page["next"])

    def browse(self, query: RowQuery, *, limit: int = 20, after: str | None = None) -> tuple[Ended, Browsed | None]:
        asked: list[tuple[str, object]] = [("limit", limit)]
        for one in query.filters:
            listed = one.operator is Operator.IN
            values = ",".join(one.values)
            asked.append(("where", f"{one.column} in {values}" if listed else f"{one.column}={values}"))
        if query.sort:
            asked.append(("sort", ",".join(f"{'-' * one.descending}{one.column}" for one in query.sort)))
        for name, value in (("version", query.version), ("as_of_run", query.as_of_run), ("cursor", after)):
            asked += [] if value is None else [(name, value)]
        status, _, body = self.client.ask("GET", f"/reports/{query.report}/rows?{urlencode(asked)}")
        if status != 200:
            return Ended(None, _told(body), status=status), None
        page = msgspec.json.decode(body)
        rows = [{name: str(value) for name, value in row.items()} for row in page["items"]]
        return Ended(None, "", status=status), Browsed(rows=rows, run_id=UUID(page["run_id"]), next=page["next"])

    def follow(self, run_id: UUID, after: str | None = None) -> Follower:
        return _Reader(self.client, f"/runs/{run_id}/logs?follow=true", after)

    def _trigger(self, pipeline: str, parameters: dict[str, str], key: str | None, mode: RunMode) -> Ended:
        given = {name: _value(text) for name, text in parameters.items()}
        return self._post("/runs/trigger", {"pipeline": pipeline, "parameters": given, "mode": mode}, key)

    def _post(self, path: str, body: object, key: str | None = None) -> Ended:
        status, headers, told = self.client.ask("POST", path, body, **({} if key is None else {"Idempotency_Key": key}))
        if status >= 400:
            assert headers["content-type"] == "application/problem+json"
            return Ended(None, _told(told), status=status)
        location = headers.get("location", "")
        return Ended(None, "", UUID(location.rpartition("/")[2]) if location else None, status=status)


class _Reader:
    """A :class:`~.world.Follower` of server-sent events."""

    def __init__(self, client: Client, path: str, after: str | None) -> None:
        self._open = ExitStack()
        headers = {} if after is None else {"Last_Event_ID": after}
        self._lines = self._read(self._open.enter_context(client.stream(path, **headers)))
        self.place: str | None = after

    def line(self) -> str | None:
        return next(self._lines, None)

    def leave(self) -> None:
        self._open.close()

    def _read(self, messages: Messages) -> Iterator[str]:
        while (one := messages.next()) is not None:
            if one["event"] == "end":
                return
            assert one["event"] == "log", one
            self.place = one["id"]
            yield from texts(one)
        raise AssertionError("the stream ended without a word")


def _value(text: str) -> object:
    """A parameter as JSON has it; what the command line takes as text may be a number."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _told(body: bytes) -> str:
    problem = msgspec.json.decode(body)
    return "\n".join([problem["title"], problem.get("detail") or "", *(problem.get("errors") or ())])
