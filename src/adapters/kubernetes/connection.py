"""Requests to the API server, and what its answers mean."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
from kubernetes.aio import client, config
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader

from ...domain.errors import BadSetting, ClusterRefused, ClusterUnavailable

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LATER = (408, 429, 500, 502, 503, 504)
"""Answers that mean: ask again."""
T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """What the API server answered."""

    status: int
    body: bytes
    retry_after: float | None = None
    """Seconds."""

    @property
    def why(self) -> str:
        """The message of a refusal."""
        try:
            return msgspec.json.decode(self.body, type=_Refusal).message or f"status {self.status}"
        except msgspec.MsgspecError:
            return self.body[:200].decode(errors="replace") or f"status {self.status}"


class _Refusal(msgspec.Struct):
    message: str = ""


class ApiServer:
    """One connection pool, made at the first request; for one event loop.

    In a pod it is the service account's, whose token is read again when it changes (at most a minute later, and at
    once when the API server refuses it); elsewhere the current context of ``KUBECONFIG`` or ``~/.kube/config``.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        *,
        folder: Path = SERVICE_ACCOUNT,
        environ: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> None:
        """``kubeconfig``: None for the usual one. ``folder``: the service account's. ``timeout``: of one request."""
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._environ = os.environ if environ is None else environ
        self._timeout = timeout
        self._client: client.ApiClient | None = None
        self._turn = asyncio.Lock()

    @property
    def in_cluster(self) -> bool:
        """Whether this is a pod with a service account."""
        return bool(self._environ.get("KUBERNETES_SERVICE_HOST")) and (self._folder / "token").is_file()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Answer:
        """One request, whatever it is answered; raises :class:`ClusterUnavailable` where no answer comes."""
        answer = await self._once(method, path, query, body, content_type)
        if answer.status == 401:
            await self._renew()
            answer = await self._once(method, path, query, body, content_type)
            if answer.status == 401:
                raise ClusterUnavailable("it does not accept our token, which may have expired")
        return answer

    async def read(self, path: str, query: Mapping[str, object] | None = None) -> bytes | None:
        """The object; None where there is none. Raises :class:`ClusterUnavailable` and :class:`ClusterRefused`."""
        answer = await self.call("GET", path, query)
        if answer.status == 404:
            return None
        checked(answer, f"show {path}")
        return answer.body

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, object], *, seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of an endless answer, for at most ``seconds``; raises as :meth:`read` does."""
        try:
            response = await self._request("GET", path, query, None, "application/json", seconds)
            async with response:
                if response.status != 200:
                    checked(await _answer(response), f"watch {path}")
                yield _split(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(_words(error)) from error

    async def _once(
        self, method: str, path: str, query: Mapping[str, object] | None, body: object, content_type: str
    ) -> Answer:
        try:
            response = await self._request(method, path, query or {}, body, content_type, self._timeout)
            async with response:
                return await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(_words(error)) from error

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: object,
        content_type: str,
        seconds: float,
    ) -> aiohttp.ClientResponse:
        api = await self._connected()
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": "kubescribe"}
        asked = await api.param_serialize(
            method=method,
            resource_path=path,
            query_params=[(name, str(value)) for name, value in query.items()],
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = await api.call_api(*asked, _request_timeout=seconds)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _connected(self) -> client.ApiClient:
        async with self._turn:
            if self._client is None:
                self._client = client.ApiClient(configuration=await self._configuration())
            return self._client

    async def _configuration(self) -> client.Configuration:
        made = client.Configuration()
        try:
            if self.in_cluster:
                token, authority = self._folder / "token", self._folder / "ca.crt"
                InClusterConfigLoader(str(token), str(authority), environ=self._environ).load_and_set(made)
            else:
                # Not persisted: a file of somebody's home is not ours to write to.
                await config.load_kube_config(self._kubeconfig, client_configuration=made, persist_config=False)
        except ConfigException as error:
            raise BadSetting(
                "KUBESCRIBE_LAUNCHER", f"there is no cluster to reach: {error}; set KUBECONFIG, or run in a pod"
            ) from error
        return made

    async def _renew(self) -> None:
        """Read the token again: it may have been rotated less than a minute ago."""
        async with self._turn:
            old, self._client = self._client, None
        if old is not None:
            await old.close()


def decoded(body: bytes, kind: type[T], what: str) -> T:
    """An answer's object; raises :class:`ClusterUnavailable` where it is none: of a proxy, say, or cut off."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ClusterUnavailable(f"what it answered is no {what}: {error}") from error


def checked(answer: Answer, what: str) -> Answer:
    """The answer, unless it is a refusal; raises :class:`ClusterUnavailable` and :class:`ClusterRefused`."""
    if answer.status in LATER:
        raise ClusterUnavailable(answer.why, after=answer.retry_after)
    if answer.status >= 400:
        raise ClusterRefused(what, answer.status, answer.why)
    return answer


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    after = response.headers.get("Retry-After", "")
    return Answer(response.status, await response.read(), float(after) if after.isdigit() else None)


async def _split(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def path_of(kind: str, namespace: str, name: str = "", subresource: str = "") -> str:
    """Of ``jobs``, ``cronjobs``, ``pods``, ``events`` or ``configmaps`` in a namespace.

    Kubernetes' own names need no quotes.
    """
    group = "/apis/batch/v1" if kind in ("jobs", "cronjobs") else "/api/v1"
    parts = [group, "namespaces", namespace, kind, name, subresource]
    return "/".join(filter(None, parts))
