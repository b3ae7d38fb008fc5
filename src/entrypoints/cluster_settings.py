"""The settings of what runs in a cluster."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ..application.manifests.installation import DEFAULT_IMAGE, DEFAULT_NAMESPACE, RUNNER
from ..domain.pod_needs import may_be_a_secret, may_be_an_image
from ..domain.tenant import TENANT_RULE, may_be_a_tenant
from .environment import Environment


class ClusterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where pipelines run, and with which image and Secrets."""

    namespace: str = DEFAULT_NAMESPACE
    """``KUBESCRIBE_NAMESPACE``: the namespace of CronJobs, Jobs and pods."""
    image: str = DEFAULT_IMAGE
    """``KUBESCRIBE_IMAGE``: of pipelines that name no other."""
    secrets: tuple[str, ...] = (RUNNER,)
    """``KUBESCRIBE_SECRETS``: whose keys are variables of the pods."""
    launcher: str = "auto"
    """``KUBESCRIBE_LAUNCHER``: ``local`` or ``kubernetes``; ``auto``: the second in a pod with a service account."""
    kubeconfig: str | None = None
    """``KUBECONFIG``: outside a pod, where the cluster is and who we are to it; None: ``~/.kube/config``."""
    keep_jobs: int = 3
    """``KUBESCRIBE_KEEP_JOBS``: how many Jobs of a pipeline stay that ended well, and how many that did not."""
    start_deadline: timedelta = timedelta(minutes=5)
    """``KUBESCRIBE_START_DEADLINE``: for the first attempt of a run that the cluster's own schedule has started."""


def load_cluster_settings(env: Environment) -> ClusterSettings:
    """The settings of the environment; raises :class:`BadSetting`."""
    return ClusterSettings(
        namespace=env.read("NAMESPACE", _namespace, TENANT_RULE, DEFAULT_NAMESPACE),
        image=env.read("IMAGE", _image, "an image's name, like registry.example.org/jobs:1.2", DEFAULT_IMAGE),
        launcher=env.choice("LAUNCHER", "auto", "local", "kubernetes"),
        kubeconfig=env.plain("KUBECONFIG"),
        keep_jobs=env.count("KEEP_JOBS", 3),
        start_deadline=env.duration("START_DEADLINE", "5m"),
        secrets=env.read("SECRETS", _secrets, "names of Secrets, separated by commas", RUNNER),
    )


def _namespace(text: str) -> str:
    if not may_be_a_tenant(text):  # the same rule: a label of DNS
        raise ValueError
    return text


def _image(text: str) -> str:
    if not may_be_an_image(text):
        raise ValueError
    return text


def _secrets(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if not all(map(may_be_a_secret, names)):
        raise ValueError
    return names
