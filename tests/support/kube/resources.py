"""The paths of Kubernetes' resources, and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
"""An object as the API server speaks it."""


@dataclass(frozen=True)
class Resource:
    """One kind of objects."""

    kind: str
    plural: str
    group: str
    """``v1`` is the core group."""
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of all, of those of a namespace, of one, or of a part of one."""
        words = ["/api" if "/" not in self.group else "/apis", self.group]
        if self.namespaced and namespace is not None:
            words += ["namespaces", namespace]
        words += [self.plural, *filter(None, (name, subresource))]
        return "/".join(words)


_ALL = [
    Resource("ConfigMap", "configmaps", "v1"),
    Resource("Event", "events", "v1"),
    Resource("LimitRange", "limitranges", "v1"),
    Resource("Namespace", "namespaces", "v1", namespaced=False),
    Resource("Node", "nodes", "v1", namespaced=False),
    Resource("Pod", "pods", "v1"),
    Resource("ResourceQuota", "resourcequotas", "v1"),
    Resource("Secret", "secrets", "v1"),
    Resource("Service", "services", "v1"),
    Resource("ServiceAccount", "serviceaccounts", "v1"),
    Resource("Deployment", "deployments", "apps/v1"),
    Resource("StatefulSet", "statefulsets", "apps/v1"),
    Resource("CronJob", "cronjobs", "batch/v1"),
    Resource("Job", "jobs", "batch/v1"),
    Resource("Lease", "leases", "coordination.k8s.io/v1"),
    Resource("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1"),
    Resource("PodDisruptionBudget", "poddisruptionbudgets", "policy/v1"),
    Resource("PriorityClass", "priorityclasses", "scheduling.k8s.io/v1", namespaced=False),
    Resource("ClusterRole", "clusterroles", "rbac.authorization.k8s.io/v1", namespaced=False),
    Resource("ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io/v1", namespaced=False),
    Resource("Role", "roles", "rbac.authorization.k8s.io/v1"),
    Resource("RoleBinding", "rolebindings", "rbac.authorization.k8s.io/v1"),
    Resource(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        "admissionregistration.k8s.io/v1",
        namespaced=False,
    ),
    Resource(
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        "admissionregistration.k8s.io/v1",
        namespaced=False,
    ),
]
BY_NAME = {each.plural: each for each in _ALL}
BY_KIND = {each.kind: each for each in _ALL}


class ApiError(Exception):
    """The API server refused; ``status`` is HTTP's number, ``reason`` Kubernetes' word for it (``AlreadyExists``)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


def refused(status: int, body: object) -> ApiError:
    """The error of an answer whose status is none of success."""
    said: Json = body if isinstance(body, dict) else {"message": str(body)}
    return ApiError(status, said.get("reason", ""), said.get("message", ""))
