"""The node's own way to the API server, with the rights of a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import msgspec

from tests.support.kube.api import MERGE, STRATEGIC, tls
from tests.support.kube.authority import Identity
from tests.support.kube.resources import BY_KIND, BY_NAME, ApiError, Json, refused

_RETRY = 0.1  # seconds
_UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class Connection:
    """Requests as the node; while it is ``cut``, nothing goes out, and what has to be told waits."""

    def __init__(self, server: str, authority: Path, identity: Identity) -> None:
        self._client = httpx.AsyncClient(
            base_url=server, verify=tls(authority, identity), timeout=30, trust_env=False, limits=_UNLIMITED
        )
        self._up = asyncio.Event()
        self._up.set()

    async def close(self) -> None:
        """Close it for good."""
        await self._client.aclose()

    def cut(self) -> None:
        """From now on the network is away."""
        self._up.clear()

    def mend(self) -> None:
        """The network is back."""
        self._up.set()

    async def call(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json", **parameters: str
    ) -> Json:
        """One request. Raises ``ApiError`` and ``httpx.TransportError``."""
        await self._up.wait()
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if content is not None else {}
        answer = await self._client.request(method, path, content=content, headers=headers, params=parameters)
        try:
            decoded = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            decoded = answer.text
        if answer.is_error:
            raise refused(answer.status_code, decoded)
        return decoded if isinstance(decoded, dict) else {"text": decoded}

    async def persist(self, method: str, path: str, body: object, *, content_type: str = "application/json") -> Json:
        """:meth:`call`, again and again while the server is away, busy or has not learned yet what we may."""
        while True:
            try:
                return await self.call(method, path, body, content_type=content_type)
            except httpx.TransportError:
                pass
            except ApiError as error:
                if error.status not in (401, 403, 429) and error.status < 500:
                    raise
            await asyncio.sleep(_RETRY)

    async def get(self, resource: str, name: str, namespace: str | None = None) -> Json | None:
        """One object; None where there is none."""
        try:
            return await self.persist("GET", BY_NAME[resource].path(namespace, name), None)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def create(self, thing: Json) -> None:
        """Make an object, unless it is there."""
        path = BY_KIND[thing["kind"]].path(thing["metadata"].get("namespace"))
        try:
            await self.persist("POST", path, thing)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    async def patch_status(self, resource: str, name: str, change: object, namespace: str | None = None) -> None:
        """Change an object's status, lists of conditions by their type."""
        await self.persist("PATCH", BY_NAME[resource].path(namespace, name, "status"), change, content_type=STRATEGIC)

    async def merge(self, resource: str, name: str, change: object, namespace: str) -> Json:
        """Change an object, once."""
        return await self.call("PATCH", BY_NAME[resource].path(namespace, name), change, content_type=MERGE)

    async def list_and_watch(self, resource: str, **parameters: str) -> AsyncGenerator[tuple[str, Json], None]:
        """``("LIST", …)`` with everything, then every change, until the server ends it. Raises as :meth:`call`."""
        await self._up.wait()
        path = BY_NAME[resource].path()
        listed = await self.call("GET", path, **parameters)
        yield "LIST", listed
        wanted = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"], "timeoutSeconds": "600"}
        timeout = httpx.Timeout(30, read=None)
        async with self._client.stream("GET", path, params={**parameters, **wanted}, timeout=timeout) as answer:
            if answer.is_error:
                raise refused(answer.status_code, msgspec.json.decode(await answer.aread()))
            async for line in answer.aiter_lines():
                change = msgspec.json.decode(line)
                if change["type"] == "ERROR":
                    raise refused(change["object"].get("code", 500), change["object"])
                yield change["type"], change["object"]
