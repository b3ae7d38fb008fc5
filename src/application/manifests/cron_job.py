"""The CronJob of a pipeline: its schedule, and the template of all its Jobs."""

from __future__ import annotations

from datetime import timedelta

from ...domain.concurrency import Concurrency
from ...domain.job_names import CONCURRENCY, NO_SCHEDULE, cron_job_name
from ...domain.pipeline import Pipeline
from ...domain.schedule_density import most_in_an_hour, shortest_interval
from .installation import Installation, Manifest
from .job_template import job_template, labels

KEPT = 3
"""Finished Jobs that stay at least, beside those that RunLog has not been told of."""
SHORTEST_START = timedelta(seconds=10)
"""Below ten seconds Kubernetes, which looks every ten, may start nothing at all."""
_USUAL_SHORTEST_START = timedelta(seconds=60)


def cron_job(pipeline: Pipeline, installation: Installation) -> Manifest:
    """Its manifest. A pipeline without a schedule gets one that never comes, and is suspended.

    ``spec.suspend`` of the others is not set: it is a pause's, and who applies manifests again is not to end one.
    """
    schedule = pipeline.schedule
    kept = history(schedule, max(KEPT, installation.kept))
    # Who is to queue, or to replace another, has to be there; what Kubernetes forbids never is.
    beside = pipeline.concurrency in (Concurrency.QUEUE, Concurrency.REPLACE)
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": cron_job_name(pipeline.name),
            "namespace": installation.namespace,
            "labels": labels(pipeline, installation),
            **({"annotations": {CONCURRENCY: pipeline.concurrency.value}} if beside else {}),
        },
        "spec": {
            "schedule": NO_SCHEDULE if schedule is None else schedule,
            "timeZone": pipeline.timezone,
            **({"suspend": True} if schedule is None else {}),
            "concurrencyPolicy": "Allow" if beside else "Forbid",
            "startingDeadlineSeconds": starting_deadline(pipeline),
            "successfulJobsHistoryLimit": kept,
            "failedJobsHistoryLimit": kept,
            "jobTemplate": job_template(pipeline, installation),
        },
    }


def history(schedule: str | None, kept: int = KEPT) -> int:
    """The Jobs of an hour in which RunLog cannot be told of any, and some: what is deleted before is evidence lost."""
    return kept + (0 if schedule is None else most_in_an_hour(schedule))


def starting_deadline(pipeline: Pipeline) -> int:
    """Seconds after which a slot is not started any more: before the next one, and in time for its start deadline."""
    wanted = max(timedelta(seconds=pipeline.start_deadline), _USUAL_SHORTEST_START)
    wanted = min(wanted, shortest_interval(pipeline.schedule or NO_SCHEDULE) - timedelta(seconds=1))
    return max(int(wanted.total_seconds()), int(SHORTEST_START.total_seconds()))
