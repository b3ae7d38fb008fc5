"""The settings of what runs in a cluster."""

from __future__ import annotations

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


def load_cluster_settings(env: Environment) -> ClusterSettings:
    """The settings of the environment; raises :class:`BadSetting`."""
    return ClusterSettings(
        namespace=env.read("NAMESPACE", _namespace, TENANT_RULE, DEFAULT_NAMESPACE),
        image=env.read("IMAGE", _image, "an image's name, like registry.example.org/jobs:1.2", DEFAULT_IMAGE),
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
