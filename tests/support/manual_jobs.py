"""Jobs as the API makes them from a CronJob, tried without being made."""

from __future__ import annotations

import copy
import uuid

from kubescribe.domain.job_names import ACTOR, PIPELINE, RUN_ID, TENANT, cron_job_name, job_name
from tests.support.deployment import RUNS
from tests.support.kube.api import Api
from tests.support.kube.resources import ApiError, Json


def manual_job(api: Api, pipeline: str) -> Json:
    """The Job of a run of this pipeline that somebody asked for."""
    cron_job = api.get("cronjobs", cron_job_name(pipeline), RUNS)
    template = copy.deepcopy(cron_job["spec"]["jobTemplate"])
    run_id = uuid.uuid4()
    labels = {**template["metadata"]["labels"], RUN_ID: str(run_id)}
    template["spec"]["template"]["metadata"]["labels"][RUN_ID] = str(run_id)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(pipeline, run_id),
            "namespace": RUNS,
            "labels": labels | {PIPELINE: pipeline, TENANT: "default"},
            "annotations": {ACTOR: "user:ann"},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": cron_job["metadata"]["name"],
                    "uid": cron_job["metadata"]["uid"],
                    "controller": False,
                }
            ],
        },
        "spec": template["spec"],
    }


def attempt(api: Api, job: Json) -> ApiError | None:
    """What the API server has against the Job; None where it would make it. It does not."""
    try:
        api.create(job, dryRun="All")
    except ApiError as error:
        return error
    return None
