"""The node's own way to the API server, with the rights of a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from tests.support.kube.api import MERGE, STRATEGIC, tls
from tests.support.kube.authority import Identity
from tests.support.kube.resources import BY_KIND, BY_NAME, ApiError, Json, refused

_RETRY, _PATIENCE = 0.1, 5.0  # seconds
_UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class Connection:
    """Requests as the node; while it is ``cut``, nothing goes out, and what has to be told waits."""

    def __init__(self, server: str, authority: Path, identity: Identity) -> None:
        self._client = httpx.AsyncClient(
            base_url=server, verify=tls(authority, identity), timeout=30, trust_env=False, limits=_UNLIMITED
        )
        self._up = asyncio.Event()
        self._up.set()
        self._under_way = 0

    async def close(self) -> None:
        """Close it for good."""
        await self._client.aclose()

    async def cut(self) -> None:
        """From now on the network is away; what is under way is waited for, because cancelling it leaks its socket."""
        self._up.clear()
        until = asyncio.get_running_loop().time() + _PATIENCE
        while self._under_way and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - a server may hang
            await asyncio.sleep(_RETRY / 10)

    def mend(self) -> None:
        """The network is back."""
        self._up.set()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def call(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json", **parameters: str
    ) -> Json:
        """One request. Raises ``ApiError`` and ``httpx.TransportError``."""
        await self._up.wait()
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if content is not None else {}
        with self._counted():
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
        with self._counted():
            request = self._client.build_request("GET", path, params={**parameters, **wanted}, timeout=timeout)
            answer = await self._client.send(request, stream=True)
        try:
            if answer.is_error:
                raise refused(answer.status_code, msgspec.json.decode(await answer.aread()))
            async for line in answer.aiter_lines():
                change = msgspec.json.decode(line)
                if change["type"] == "ERROR":
                    raise refused(change["object"].get("code", 500), change["object"])
                yield change["type"], change["object"]
        finally:
            await answer.aclose()
