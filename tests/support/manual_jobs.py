"""Jobs as the API makes them from a CronJob, tried without being made."""

from __future__ import annotations

import uuid

from kubescribe.adapters.kubernetes.job_of_run import job_of_run
from kubescribe.domain.job_names import cron_job_name
from tests.support.builders import a_run
from tests.support.deployment import RUNS
from tests.support.kube.api import Api
from tests.support.kube.resources import ApiError, Json


def manual_job(api: Api, pipeline: str) -> Json:
    """The Job of a run of this pipeline that somebody asked for."""
    cron_job = api.get("cronjobs", cron_job_name(pipeline), RUNS)
    return job_of_run(cron_job, a_run(uuid.uuid4(), pipeline=pipeline), RUNS)


def attempt(api: Api, job: Json) -> ApiError | None:
    """What the API server has against the Job; None where it would make it. It does not."""
    try:
        api.create(job, dryRun="All")
    except ApiError as error:
        return error
    return None
