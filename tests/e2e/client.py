"""The API, asked over HTTP."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from typing import Any

import msgspec


class Client:
    """With the token of an administrator."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def get(self, path: str) -> Any:
        """What it answers; AssertionError where it refuses."""
        status, body = self._ask("GET", path, None)
        assert status == 200, (status, body)
        return body

    def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        """The same; what is accepted is an answer too. ``key``: None for one of its own."""
        status, answer = self._ask("POST", path, body, key or uuid.uuid4().hex)
        assert status in (200, 201, 202), (status, answer)
        return answer

    def refused(self, path: str, body: object) -> tuple[int, Any]:
        """Status and problem of what it does not do."""
        status, answer = self._ask("POST", path, body, uuid.uuid4().hex)
        assert 400 <= status < 500, (status, answer)
        return status, answer

    def _ask(self, method: str, path: str, body: object, key: str | None = None) -> tuple[int, Any]:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        headers |= {} if key is None else {"Idempotency-Key": key}
        request = urllib.request.Request(self._url + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, msgspec.json.decode(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, msgspec.json.decode(error.read())
