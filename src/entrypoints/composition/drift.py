"""Comparing a cluster with the declarations, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...application.find_drift import Drift, FindDrift
from ...application.manifests.installation import Installation
from ...domain.pipeline import Pipeline
from ..settings import Settings
from .cluster import api_server


async def find_drift(settings: Settings, pipelines: Sequence[Pipeline], installation: Installation) -> Drift:
    """Look at the cluster of the settings, once."""
    from ...adapters.kubernetes.cron_jobs import KubernetesCronJobs

    closing: list[Any] = []
    try:
        return await FindDrift(cron_jobs=KubernetesCronJobs(api_server(settings, closing)))(pipelines, installation)
    finally:
        for close in closing:
            await close()
