"""What the pods of an installation have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from ...domain.tenant import DEFAULT_TENANT, Tenant

# What JSON has is all that there is in a manifest; whoever reads one knows its shape from Kubernetes.
Manifest: TypeAlias = dict[str, Any]

DEFAULT_NAMESPACE = "kubescribe-runs"
DEFAULT_IMAGE = "kubescribe"
"""Without a tag, for kustomize's ``images:`` to give it one."""
RUNNER = "kubescribe-runner"
"""The service account of the pods, the ConfigMap with their settings, and the Secret with their databases."""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """Where pipelines run, and with what."""

    namespace: str = DEFAULT_NAMESPACE
    """``KUBESCRIBE_NAMESPACE``: of the pods; another one than the API's, whose Secrets are none of theirs."""
    image: str = DEFAULT_IMAGE
    """``KUBESCRIBE_IMAGE``: where a pipeline names no other."""
    secrets: tuple[str, ...] = (RUNNER,)
    """``KUBESCRIBE_SECRETS``: Secrets whose keys are the pods' variables, like ``RUNLOG_DB_URL``."""
    modules: tuple[str, ...] = ()
    """``KUBESCRIBE_PIPELINES``: what the pods import."""
    tenant: Tenant = DEFAULT_TENANT
    """``KUBESCRIBE_TENANT``."""
    kept: int = 3
    """``KUBESCRIBE_KEEP_JOBS``: finished Jobs of a pipeline that stay for people to look at."""
    grace: timedelta = timedelta(seconds=30)
    """``KUBESCRIBE_GRACE``: what a worker has to end itself."""
