"""Manifests for tests: small, and fit for the Pod Security level ``restricted``."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from .resources import Json

NEVER = "0 0 31 2 *"
IMAGE = "registry.example/kubescribe:test"
"""Means nothing: nodes of tests run commands of this machine."""
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"

_SECURE_POD = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
_SECURE = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def a_container(
    *command: str, env: Mapping[str, object] | None = None, memory: str | None = None, **fields: object
) -> Json:
    """One that runs ``command``; a value of ``env`` that is no text is a ``valueFrom``."""
    variables = [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in (env or {}).items()
    ]
    resources = {"limits": {"memory": memory}} if memory else {}
    return {
        "name": "main",
        "image": IMAGE,
        "command": list(command),
        "env": variables,
        "resources": resources,
        "securityContext": _SECURE,
        **fields,
    }


def a_pod_template(
    containers: Sequence[Json],
    *,
    grace: int = 30,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: object,
) -> Json:
    """A pod's metadata and spec; ``grace`` in seconds."""
    return {
        "metadata": {"labels": dict(labels or {}), "annotations": dict(annotations or {})},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": grace,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": _SECURE_POD,
            "containers": list(containers),
            **spec,
        },
    }


def a_script(
    script: str,
    *,
    env: Mapping[str, object] | None = None,
    memory: str | None = None,
    mounts: Mapping[str, str] | None = None,
    fields: Mapping[str, object] | None = None,
    **pod: Any,
) -> Json:
    """The template of a pod that runs a shell script. ``mounts`` are volumes' names by path."""
    mounted = [{"mountPath": path, "name": volume} for path, volume in (mounts or {}).items()]
    more = {"volumeMounts": mounted, **(fields or {})}
    return a_pod_template([a_container("sh", "-c", script, env=env, memory=memory, **more)], **pod)


def a_pod(name: str, template: Json) -> Json:
    """A pod that nobody owns."""
    pod = copy.deepcopy(template)
    return {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": {**pod["metadata"], "name": name}}


def a_job(
    name: str, template: Json, *, backoff_limit: int = 0, labels: Mapping[str, str] | None = None, **spec: object
) -> Json:
    """A Job of one pod at a time; ``spec`` adds fields such as ``activeDeadlineSeconds`` and ``podFailurePolicy``."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"backoffLimit": backoff_limit, "podReplacementPolicy": "Failed", "template": template, **spec},
    }


def a_cron_job(name: str, job: Json, *, schedule: str = NEVER, **spec: object) -> Json:
    """A CronJob whose Jobs are like ``job``."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": job["metadata"]["labels"]},
        "spec": {
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"metadata": {"labels": job["metadata"]["labels"]}, "spec": job["spec"]},
            **spec,
        },
    }


def fired(cron_job: Json, at: datetime.datetime) -> Json:
    """The Job that the cron controller makes of a stored CronJob for the slot ``at``."""
    zone = ZoneInfo(cron_job["spec"].get("timeZone", "Etc/UTC"))
    slot = at.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")
    owner = {**_owner(cron_job), "controller": True, "blockOwnerDeletion": True}
    return _instance(
        cron_job, f"{cron_job['metadata']['name']}-{int(at.timestamp()) // 60}", {SCHEDULED_AT: slot}, owner
    )


def made_by_hand(cron_job: Json, name: str) -> Json:
    """The Job of ``kubectl create job NAME --from=cronjob/…``."""
    return _instance(
        cron_job, name, {"cronjob.kubernetes.io/instantiate": "manual"}, {**_owner(cron_job), "controller": True}
    )


def _owner(cron_job: Json) -> Json:
    metadata = cron_job["metadata"]
    return {"apiVersion": "batch/v1", "kind": "CronJob", "name": metadata["name"], "uid": metadata["uid"]}


def _instance(cron_job: Json, name: str, annotations: Mapping[str, str], owner: Json) -> Json:
    template = copy.deepcopy(cron_job["spec"]["jobTemplate"])
    metadata = template.get("metadata", {})
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": metadata.get("labels", {}),
            "annotations": {**metadata.get("annotations", {}), **annotations},
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    }
