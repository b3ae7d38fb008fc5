"""The CronJobs of a cluster, as whole objects: for comparing them with what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..manifests.installation import Manifest


class CronJobs(Protocol):
    """Reads, and changes nothing.

    Raises :class:`~kubescribe.domain.errors.ClusterUnavailable` and
    :class:`~kubescribe.domain.errors.ClusterRefused`.
    """

    async def rendered(self, namespace: str) -> tuple[Manifest, ...]:
        """Those of the namespace that were rendered by us, by name, as they are there."""
        ...

    async def startable(self, namespace: str) -> Mapping[str, str] | None:
        """What the list of those of which the API may make Jobs holds; None: there is no list."""
        ...

    async def as_taken(self, manifest: Manifest) -> Manifest:
        """What the cluster would make of the manifest, with all its defaults; nothing is made.

        :class:`ClusterRefused` where it would not take it.
        """
        ...
