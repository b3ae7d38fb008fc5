"""CronJobs that exist in this process alone."""

from __future__ import annotations

import copy

from ...application.manifests.installation import Manifest
from ...domain.errors import ClusterRefused


class MemoryCronJobs:
    """:class:`~kubescribe.application.ports.cron_jobs.CronJobs` of a cluster with one default."""

    def __init__(self) -> None:
        self._there: list[Manifest] = []
        self._lists: dict[str, dict[str, str]] = {}

    def put(self, manifest: Manifest) -> None:
        """Apply a manifest, as somebody does to a cluster: of a CronJob, or of the list of them."""
        if manifest["kind"] == "ConfigMap":
            self._lists[manifest["metadata"]["namespace"]] = dict(manifest["data"])
            return
        taken = _taken(manifest)
        self._there = [one for one in self._there if _key(one) != _key(taken)] + [taken]

    async def rendered(self, namespace: str) -> tuple[Manifest, ...]:
        """See the port."""
        ours = [
            one
            for one in self._there
            if one["metadata"]["namespace"] == namespace
            and one["metadata"].get("labels", {}).get("app.kubernetes.io/name") == "kubescribe"
        ]
        return tuple(copy.deepcopy(sorted(ours, key=_key)))

    async def startable(self, namespace: str) -> dict[str, str] | None:
        """See the port."""
        return copy.copy(self._lists.get(namespace))

    async def as_taken(self, manifest: Manifest) -> Manifest:
        """See the port."""
        return _taken(manifest)


def _taken(manifest: Manifest) -> Manifest:
    made = copy.deepcopy(manifest)
    if not made["spec"].get("schedule"):
        raise ClusterRefused(f"take CronJob {made['metadata']['name']}", 422, "spec.schedule: Required value")
    made["spec"].setdefault("suspend", False)
    return made


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]
