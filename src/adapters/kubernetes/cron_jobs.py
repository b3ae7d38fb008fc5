"""A cluster's CronJobs, as whole objects."""

from __future__ import annotations

import msgspec

from ...application.manifests.installation import Manifest
from ...application.manifests.rendering import STARTABLE
from .connection import ApiServer, checked, decoded, path_of

_SELECTOR = "app.kubernetes.io/name=kubescribe"
_PAGE = 500
_ADDED_BY_GENERATION = 5
_LONGEST_NAME = 52


class _Page(msgspec.Struct):
    items: list[Manifest]
    metadata: dict[str, str | int]


class _List(msgspec.Struct):
    data: dict[str, str] | None = None


class KubernetesCronJobs:
    """:class:`~kubescribe.application.ports.cron_jobs.CronJobs`."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api

    async def rendered(self, namespace: str) -> tuple[Manifest, ...]:
        """See the port."""
        found: list[Manifest] = []
        query: dict[str, object] = {"labelSelector": _SELECTOR, "limit": _PAGE}
        while True:
            answer = await self._api.call("GET", path_of("cronjobs", namespace), query)
            page = msgspec.json.decode(checked(answer, f"list the CronJobs of {namespace}").body, type=_Page)
            found += page.items
            if not page.metadata.get("continue"):
                return tuple(sorted(found, key=lambda one: str(one["metadata"]["name"])))
            query["continue"] = page.metadata["continue"]

    async def startable(self, namespace: str) -> dict[str, str] | None:
        """See the port."""
        body = await self._api.read(path_of("configmaps", namespace, STARTABLE))
        return None if body is None else decoded(body, _List, f"ConfigMap {STARTABLE}").data or {}

    async def as_taken(self, manifest: Manifest) -> Manifest:
        """See the port. By a dry run under another name: under its own it would be there already."""
        name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
        prefix = name[: _LONGEST_NAME - _ADDED_BY_GENERATION]
        asked = {**manifest, "metadata": {**manifest["metadata"], "generateName": prefix}}
        del asked["metadata"]["name"]
        query = {"dryRun": "All", "fieldValidation": "Strict"}
        answer = await self._api.call("POST", path_of("cronjobs", namespace), query, asked)
        made: Manifest = msgspec.json.decode(checked(answer, f"take CronJob {name}").body)
        made["metadata"]["name"] = name
        return made
