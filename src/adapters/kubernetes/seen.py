"""Jobs as KubeScribe sees them, made of what the API server tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ...application.foreign_text import ForeignText
from ...application.ports.cluster_jobs import Phase, SeenJob, SeenPod
from ...domain import job_names
from ...domain.attempt import DeathCertificate
from ...domain.failure import FailureCause
from ...domain.pipeline import may_be_a_name
from ...domain.tenant import Tenant, may_be_a_tenant
from . import pods
from .objects import CronJob, Job, Metadata, Pod

Waited = Callable[[UUID, str], float]
"""Seconds since it was first seen that this keeps the object of this UID back."""


def seen_job(
    job: Job,
    children: Iterable[Pod],
    cron_jobs: Mapping[str, CronJob],
    tenant: Tenant,
    waited: Waited,
    hide: ForeignText,
) -> SeenJob | None:
    """The Job; None: it belongs to no pipeline. Raises ``ValueError`` where its labels cannot be.

    ``cron_jobs``: by UID, those with the label of a pipeline. ``tenant``: of what names none. ``hide``: what nobody is
    to read of a container's last words.
    """
    meta = job.metadata
    owner = next((one for one in meta.owner_references or () if one.kind == "CronJob"), None)
    cron_job = None if owner is None else cron_jobs.get(owner.uid)
    pipeline = _label(meta, cron_job, job_names.PIPELINE)
    if pipeline is None:
        return None
    its_tenant = _label(meta, cron_job, job_names.TENANT) or tenant
    if not may_be_a_name(pipeline):
        raise ValueError(f"its label {job_names.PIPELINE} is {pipeline[:80]!r}, which can name no pipeline")
    if not may_be_a_tenant(its_tenant):
        raise ValueError(f"its label {job_names.TENANT} is {its_tenant[:80]!r}, which can name no tenant")
    label = (meta.labels or {}).get(job_names.RUN_ID)
    failed = pods.condition(job.status.conditions, "Failed")
    complete = pods.condition(job.status.conditions, "Complete")
    phase = Phase.FAILED if failed else Phase.COMPLETE if complete else Phase.ACTIVE
    ours = owner is not None and bool(owner.controller)
    seen = [seen_pod(pod, waited, hide) for pod in sorted(children, key=_age)]
    return SeenJob(
        uid=meta.uid,
        name=meta.name,
        namespace=meta.namespace,
        tenant=its_tenant,
        pipeline=pipeline,
        run_id=meta.uid if label is None else _uuid(label),
        asked_for=label is not None,
        slot=_slot(meta) if ours else None,
        created_at=meta.creation_timestamp,
        deadline=job.spec.active_deadline_seconds,
        supervised=pods.supervised(job.spec.template.spec) is not None,
        owned=ours,
        phase=phase,
        deleting=meta.deletion_timestamp is not None,
        certificate=_certificate(failed.reason, failed.message) if failed is not None else None,
        pods=tuple(seen),
    )


def seen_pod(pod: Pod, waited: Waited, hide: ForeignText) -> SeenPod:
    """The pod."""
    end, status = pods.terminated(pod), pods.main_status(pod)
    running = status.state.running if status is not None and status.state is not None else None
    over = pods.is_over(pod)
    held = None if over or running is not None else pods.held_back(pod)
    hopeless = False
    if held is not None and held.hopeless_after is not None:
        hopeless = waited(pod.metadata.uid, held.certificate.reason or "") >= held.hopeless_after
    return SeenPod(
        uid=pod.metadata.uid,
        name=pod.metadata.name,
        node=pod.spec.node_name,
        created_at=pod.metadata.creation_timestamp,
        started_at=end.started_at if end is not None else running.started_at if running is not None else None,
        ended_at=end.finished_at if end is not None else None,
        running=running is not None,
        over=over,
        certificate=_hidden(pods.ended(pod), hide) if over else held.certificate if held is not None else None,
        hopeless=hopeless,
        summary=pods.summary_of(pod) if over else None,
    )


def _hidden(certificate: DeathCertificate, hide: ForeignText) -> DeathCertificate:
    if certificate.message is None:
        return certificate
    return msgspec.structs.replace(certificate, message=hide.text(certificate.message))


def _certificate(reason: str | None, message: str | None) -> DeathCertificate | None:
    """What the Job's own failure adds to that of its pods."""
    if reason == "DeadlineExceeded":
        words = f"its Job went on for longer than its activeDeadlineSeconds: {message or reason}"
        return DeathCertificate(cause=FailureCause.RUN_DEADLINE, reason=reason, message=words)
    return None


def _label(meta: Metadata, cron_job: CronJob | None, name: str) -> str | None:
    own = (meta.labels or {}).get(name)
    return own or (None if cron_job is None else (cron_job.metadata.labels or {}).get(name))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"its label {job_names.RUN_ID} is {text[:80]!r}, which is no run's id") from None


def _slot(meta: Metadata) -> datetime | None:
    annotations = meta.annotations or {}
    if job_names.INSTANTIATED in annotations:
        return None
    scheduled = annotations.get(job_names.SCHEDULED_AT)
    if scheduled is not None:
        try:
            slot = datetime.fromisoformat(scheduled)
        except ValueError:
            slot = None
        if slot is not None and slot.tzinfo is not None:
            return slot.astimezone(UTC)
    return job_names.slot_of_name(meta.name, meta.creation_timestamp)


def _age(pod: Pod) -> tuple[datetime, str]:
    return pod.metadata.creation_timestamp, pod.metadata.name
