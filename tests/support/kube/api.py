"""Talking to the API server in plain dictionaries."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import httpx
import msgspec

from .authority import Identity
from .resources import BY_KIND, BY_NAME, Json, refused

Parameter = str | int | bool

MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)


def tls(authority: Path, identity: Identity | None) -> ssl.SSLContext:
    """How a client of the API server knows it, and is known."""
    context = ssl.create_default_context(cafile=str(authority))
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


class Api:
    """One user's view of the API server, by certificate or by token. Resources are named as in URLs: ``jobs``.

    Refusals raise :class:`~tests.support.kube.resources.ApiError`; a server that is away, ``httpx.TransportError``.
    """

    def __init__(
        self, server: str, authority: Path, identity: Identity | None = None, *, token: str | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=server, verify=tls(authority, identity), headers=headers, timeout=30, trust_env=False
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        parameters: Mapping[str, Parameter] | None = None,
    ) -> Json:
        """One request; the answer's object."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if content is not None else {}
        answer = self._client.request(method, path, content=content, headers=headers, params=parameters)
        decoded = msgspec.json.decode(answer.content) if _is_json(answer) else answer.text
        if answer.is_error:
            raise refused(answer.status_code, decoded)
        return decoded if isinstance(decoded, dict) else {"text": decoded}

    def get(self, resource: str, name: str, namespace: str | None = None, *, subresource: str | None = None) -> Json:
        """One object."""
        return self.call("GET", BY_NAME[resource].path(namespace, name, subresource))

    def listed(self, resource: str, namespace: str | None = None, **parameters: Parameter) -> list[Json]:
        """The objects, of one namespace or of all; ``labelSelector`` and ``fieldSelector`` choose."""
        items: list[Json] = self.call("GET", BY_NAME[resource].path(namespace), parameters=parameters)["items"]
        return items

    def create(self, thing: Json, namespace: str | None = None, **parameters: Parameter) -> Json:
        """Make an object from a manifest that names its kind."""
        where = namespace or thing["metadata"].get("namespace")
        return self.call("POST", BY_KIND[thing["kind"]].path(where), thing, parameters=parameters)

    def patch(
        self,
        resource: str,
        name: str,
        change: object,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        content_type: str = MERGE,
        **parameters: Parameter,
    ) -> Json:
        """Change an object, or its ``status``."""
        path = BY_NAME[resource].path(namespace, name, subresource)
        return self.call("PATCH", path, change, content_type=content_type, parameters=parameters)

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        *,
        grace: int | None = None,
        propagation: str | None = "Background",
    ) -> Json:
        """Ask for an object's deletion; ``grace`` in seconds, 0 for at once and whatever the node says."""
        options = {"gracePeriodSeconds": grace, "propagationPolicy": propagation}
        body = {name: value for name, value in options.items() if value is not None}
        return self.call("DELETE", BY_NAME[resource].path(namespace, name), body)

    def log(self, namespace: str, pod: str, **parameters: Parameter) -> str:
        """What a pod's container has printed; ``tailLines``, ``limitBytes``, ``container``."""
        answer = self._client.get(BY_NAME["pods"].path(namespace, pod, "log"), params=parameters)
        if answer.is_error:
            raise refused(answer.status_code, msgspec.json.decode(answer.content))
        return answer.text

    @contextmanager
    def follow(self, namespace: str, pod: str, **parameters: Parameter) -> Iterator[Iterator[str]]:
        """The lines of a pod's log as they come, until the container ends."""
        path = BY_NAME["pods"].path(namespace, pod, "log")
        with self._client.stream("GET", path, params={"follow": True, **parameters}) as answer:
            if answer.is_error:
                raise refused(answer.status_code, msgspec.json.decode(answer.read()))
            yield answer.iter_lines()

    @contextmanager
    def watch(self, resource: str, namespace: str | None = None, **parameters: Parameter) -> Iterator[Iterator[Json]]:
        """The changes as they come: ``{"type": "ADDED", "object": …}``."""
        path = BY_NAME[resource].path(namespace)
        with self._client.stream("GET", path, params={"watch": True, **parameters}) as answer:
            if answer.is_error:
                raise refused(answer.status_code, msgspec.json.decode(answer.read()))
            yield (msgspec.json.decode(line) for line in answer.iter_lines())


def _is_json(answer: httpx.Response) -> bool:
    return str(answer.headers.get("Content-Type", "")).startswith("application/json")
