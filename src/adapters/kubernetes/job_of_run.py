"""The Job of a run that somebody asked for: its CronJob's template, and nothing of the caller's but the run's id."""

from __future__ import annotations

import copy
from typing import Any

from ...domain import job_names
from ...domain.run import Run

Json = dict[str, Any]


def job_of_run(cron_job: Json, run: Run, namespace: str) -> Json:
    """The object to post; ``cron_job`` as the API server shows it. Raises ``ValueError`` where it has no such template.

    The containers stay as the template has them where it hands the label on (:data:`job_names.POD_FIELDS`), which
    admission policies can see; in another template the run's id becomes a variable of the supervisor's container.
    """
    owner = cron_job["metadata"]
    template: Json = copy.deepcopy(cron_job["spec"]["jobTemplate"])
    meta, spec = _object(template, "metadata"), _object(template, "spec")
    pod = _object(spec, "template")
    labels = {
        job_names.PIPELINE: run.pipeline,
        job_names.TENANT: run.tenant,
        job_names.RUN_ID: str(run.id),
    }
    pod_labels = _object(_object(pod, "metadata"), "labels")
    pod_labels |= labels
    for container in _object(pod, "spec").get("containers") or []:
        _hand_on(container, str(run.id))
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_names.job_name(run.pipeline, run.id),
            "namespace": namespace,
            "labels": {**(meta.get("labels") or {}), **labels},
            "annotations": {**(meta.get("annotations") or {}), job_names.ACTOR: run.actor},
            # Not its controller: the CronJob's history limits would delete it, and it counts for none of its policies.
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": owner["name"],
                    "uid": owner["uid"],
                    "controller": False,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }


def _hand_on(container: Json, run_id: str) -> None:
    variables = container.get("env") or []
    names = {one.get("name") for one in variables}
    if job_names.POD_UID_VARIABLE in names and job_names.RUN_ID_VARIABLE not in names:
        container["env"] = [*variables, {"name": job_names.RUN_ID_VARIABLE, "value": run_id}]


def _object(parent: Json, name: str) -> Json:
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    found: Json = parent[name]
    return found
