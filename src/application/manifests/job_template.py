"""The Job of a pipeline: every line of it is there for a failure that somebody has had (FAULTS section 1)."""

from __future__ import annotations

import math
from datetime import timedelta

from ...domain.errors import BadDeclaration
from ...domain.exit_code import ExitCode
from ...domain.job_names import PIPELINE, POD_FIELDS, TENANT, TERMINATION_LOG
from ...domain.pipeline import Pipeline
from .installation import RUNNER, Installation, Manifest

CONTAINER = "runner"
MOST_RETRIES = 3
"""Kubernetes waits twice as long before each; after the third the next slot is nearer than the next attempt."""
USELESS_TO_REPEAT = (ExitCode.USAGE, ExitCode.PRECONDITION, ExitCode.FENCED, ExitCode.REFUSED)

SHORTEST_GRACE = timedelta(seconds=60)
_TO_RECORD = timedelta(seconds=30)
"""From the worker's end to the pod's: what the supervisor has for its record."""
_OURS_FIRST = timedelta(seconds=60)
"""The supervisor ends a run at its deadline, and tells more of it than Kubernetes could, which comes so much later."""
_SCRATCH = "/tmp"  # noqa: S108 - the pod's own, an emptyDir; the rest of its file system is read-only
_SCRATCH_SIZE = "2Gi"


def job_template(pipeline: Pipeline, installation: Installation) -> Manifest:
    """``spec.jobTemplate`` of its CronJob. Raises :class:`BadDeclaration` for more retries than a Job is to have."""
    if pipeline.retries > MOST_RETRIES:
        raise BadDeclaration(
            f"pipeline {pipeline.name}: retries is {pipeline.retries}, and a Job of ours makes at most {MOST_RETRIES} "
            f"further attempts; lower it, or let a later run do it ({pipeline.location})"
        )
    names = labels(pipeline, installation)
    return {
        "metadata": {"labels": names},
        "spec": {
            "activeDeadlineSeconds": _active_deadline(pipeline, installation),
            "backoffLimit": pipeline.retries,
            "podFailurePolicy": {"rules": _rules()},
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": names}, "spec": _pod(pipeline, installation)},
        },
    }


def labels(pipeline: Pipeline, installation: Installation) -> dict[str, str]:
    """On the CronJob, its Jobs and their pods."""
    return {
        "app.kubernetes.io/component": "runner",
        "app.kubernetes.io/name": "kubescribe",
        PIPELINE: pipeline.name,
        TENANT: installation.tenant,
    }


def termination_grace(grace: timedelta) -> timedelta:
    """From SIGTERM to SIGKILL of the pod: the worker's own grace, and the record after it."""
    return max(SHORTEST_GRACE, grace + _TO_RECORD)


def _active_deadline(pipeline: Pipeline, installation: Installation) -> int:
    """Seconds of the Job's life. It bounds a pod that waits for a node, too, and disruptions without end."""
    own = timedelta(seconds=pipeline.start_deadline) + timedelta(seconds=pipeline.run_deadline)
    return _whole(own + termination_grace(installation.grace) + _OURS_FIRST)


def _rules() -> list[Manifest]:
    """The first that fits counts; what fits none is one of the attempts that ``backoffLimit`` allows."""
    codes = {"containerName": CONTAINER, "operator": "In", "values": [code.value for code in USELESS_TO_REPEAT]}
    return [
        {"action": "FailJob", "onExitCodes": codes},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]


def _pod(pipeline: Pipeline, installation: Installation) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "containers": [_container(pipeline, installation)],
        "enableServiceLinks": False,  # a Service called kubescribe-… would be taken for a setting of ours
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccountName": RUNNER,
        "terminationGracePeriodSeconds": _whole(termination_grace(installation.grace)),
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": _SCRATCH_SIZE}}],
    }


def _container(pipeline: Pipeline, installation: Installation) -> Manifest:
    pod = pipeline.pod
    secrets = dict.fromkeys((*installation.secrets, *pod.secrets))
    return {
        "name": CONTAINER,
        "image": pod.image or installation.image,
        "command": ["kubescribe"],
        "args": ["run", pipeline.name],
        "env": _environment(installation),
        "envFrom": [
            {"configMapRef": {"name": RUNNER, "optional": True}},
            *({"secretRef": {"name": name}} for name in secrets),
        ],
        "resources": {
            "limits": {"memory": pod.memory},
            "requests": {"cpu": pod.cpu, "memory": pod.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePath": TERMINATION_LOG,
        # Never FallbackToLogsOnError: what a pipeline prints may hold what no record should.
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": "scratch", "mountPath": _SCRATCH}],
    }


def _environment(installation: Installation) -> list[Manifest]:
    settings = {
        "HOME": _SCRATCH,
        "KUBESCRIBE_GRACE": f"{_whole(installation.grace)}s",
        "KUBESCRIBE_HOME": f"{_SCRATCH}/kubescribe",
        "KUBESCRIBE_LOG": "json",
        "KUBESCRIBE_PIPELINES": ",".join(installation.modules),
        "KUBESCRIBE_TENANT": installation.tenant,
        "KUBESCRIBE_TERMINATION_LOG": TERMINATION_LOG,
    }
    fields = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in POD_FIELDS.items()]
    return [*({"name": name, "value": value} for name, value in settings.items()), *fields]


def _whole(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds())
