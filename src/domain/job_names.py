"""What KubeScribe is called on a cluster: names, labels, annotations, the environment of a pod (DESIGN section 7).

A Job of ours has one name, made of its run's id, so that making it twice is harmless. What is here is kept in clusters
and in people's GitOps repositories: it may grow, and never changes its meaning.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

PREFIX = "kubescribe.io/"

PIPELINE = PREFIX + "pipeline"
"""Label of CronJobs, Jobs and pods: the pipeline's name. A CronJob with it is looked after, whoever has made it."""

RUN_ID = PREFIX + "run-id"
"""Label of the Jobs that the API makes and of their pods: the run. Another Job has none: its UID is the run."""

TENANT = PREFIX + "tenant"
"""Label beside the pipeline's: whose it is. Without it, the tenant of the API that looks after the namespace."""

PAUSED = PREFIX + "paused"
"""Annotation of a CronJob whose ``spec.suspend`` is ours: a pause of RunLog's. Without it others have suspended it."""

CONCURRENCY = PREFIX + "concurrency"
"""Annotation of a CronJob whose pipeline's runs queue or replace each other: Kubernetes lets all of them begin."""

ACTOR = PREFIX + "actor"
"""Annotation of a Job that the API makes: who asked for it."""

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
"""Kubernetes' own annotation of a Job that its schedule has made (RFC 3339); a pod does not see it."""

INSTANTIATED = "cronjob.kubernetes.io/instantiate"
"""kubectl's annotation of a Job that ``kubectl create job --from`` has made."""

JOB_UID = "batch.kubernetes.io/controller-uid"
"""Kubernetes' own label of a pod."""

JOB_NAME = "batch.kubernetes.io/job-name"
"""Kubernetes' own label of a pod."""

POD_UID_VARIABLE = "KUBESCRIBE_POD_UID"
"""A container that has it runs a supervisor of ours, and its pod's UID is the attempt's id. Others are observed."""

RUN_ID_VARIABLE = "KUBESCRIBE_RUN_ID"

POD_FIELDS = {
    POD_UID_VARIABLE: "metadata.uid",
    "KUBESCRIBE_POD_NAME": "metadata.name",
    "KUBESCRIBE_POD_NAMESPACE": "metadata.namespace",
    "KUBESCRIBE_NODE": "spec.nodeName",
    "KUBESCRIBE_JOB_UID": f"metadata.labels['{JOB_UID}']",
    "KUBESCRIBE_JOB_NAME": f"metadata.labels['{JOB_NAME}']",
    # Empty in a pod of the schedule. By the label, so that a Job of the API's has the containers of its template.
    RUN_ID_VARIABLE: f"metadata.labels['{RUN_ID}']",
}
"""What a supervisor's container is told of its pod: the variable, and the field of the downward API."""

TERMINATION_LOG = "/dev/termination-log"
"""``KUBESCRIBE_TERMINATION_LOG`` of a supervisor's container: Kubernetes' own default of the message's path."""

NO_SCHEDULE = "0 0 31 2 *"
"""The schedule of a pipeline that has none: no February has a 31st. Its CronJob is suspended, and stays so."""

_LONGEST = 63
_MINUTES = re.compile(r".+-([1-9][0-9]{7})")
_PLAUSIBLE = timedelta(days=366)


def cron_job_name(pipeline: str) -> str:
    """The name of a pipeline's CronJob: at most 52 characters, for ``_`` is no letter of a DNS name."""
    return pipeline.replace("_", "-")


def job_name(pipeline: str, run_id: UUID) -> str:
    """The name of the Job of a run that somebody asked for; never one that a schedule's Job could have."""
    return f"{cron_job_name(pipeline)[: _LONGEST - 33].rstrip('-')}-{run_id.hex}"


def slot_of_name(name: str, now: datetime) -> datetime | None:
    """The slot in the name of a schedule's Job, which ends with the minutes since 1970; None: it has none.

    People end names with a date, like 20261231, which would be a minute of 2008: what is not within a year of ``now``
    is no slot.
    """
    found = _MINUTES.fullmatch(name)
    if found is None:
        return None
    slot = datetime.fromtimestamp(int(found[1]) * 60, UTC)
    return slot if abs(slot - now) <= _PLAUSIBLE else None
