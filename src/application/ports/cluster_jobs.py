"""What a cluster shows of the Jobs of its pipelines."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from ...domain.attempt import DeathCertificate
from ...domain.summary import Summary
from ...domain.tenant import Tenant


class Phase(StrEnum):
    """How far a Job has come."""

    ACTIVE = "active"
    """It may still make pods, or has some."""

    COMPLETE = "complete"
    """It has ended well, and so have its pods."""

    FAILED = "failed"
    """It has ended, its pods too, and the last one not well."""


class SeenPod(msgspec.Struct, frozen=True, kw_only=True):
    """A pod of a Job."""

    uid: UUID
    name: str
    node: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    """When its container was started, by its node's clock; None: it was not."""
    ended_at: datetime | None = None
    """When its container ended, by its node's clock; None: it has not, or nobody knows when."""
    running: bool = False
    """Its container runs."""
    over: bool = False
    """It has ended, and says how."""
    certificate: DeathCertificate | None = None
    """How it ended or, before it has started, what keeps it from starting."""
    hopeless: bool = False
    """It can never start."""
    summary: Summary | None = None
    """What its supervisor left as its termination message."""


class SeenJob(msgspec.Struct, frozen=True, kw_only=True):
    """A Job that belongs to a pipeline."""

    uid: UUID
    name: str
    namespace: str
    tenant: Tenant
    pipeline: str
    run_id: UUID
    """Of its label; without one, its UID."""
    asked_for: bool = False
    """It has the label of a run that somebody asked for, and RunLog knows of it."""
    slot: datetime | None = None
    """When its schedule wanted it; None: its schedule did not make it."""
    created_at: datetime
    deadline: float | None = None
    """Seconds that it may take, by its own ``activeDeadlineSeconds``."""
    supervised: bool = True
    """A supervisor of ours is inside; False: it is observed from outside."""
    owned: bool = False
    """A CronJob counts it among its own, and clears it away."""
    phase: Phase = Phase.ACTIVE
    deleting: bool = False
    """Its deletion was asked for, and its pods are ending."""
    certificate: DeathCertificate | None = None
    """What Kubernetes says of the Job itself: its deadline, a quota; None: nothing beyond its pods."""
    hopeless: bool = False
    """It can never make a pod, for the reason in ``certificate``."""
    pods: tuple[SeenPod, ...] = ()
    """Oldest first."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """An object that cannot be read. It is passed over until it changes, and the others are not."""

    kind: str
    name: str
    uid: str
    why: str


class ClusterJobs(Protocol):
    """The Jobs of all pipelines, as the cluster showed them last.

    Raises :class:`~kubescribe.domain.errors.ClusterUnavailable` and :class:`ClusterRefused` where it cannot be seen.
    """

    async def jobs(self) -> tuple[SeenJob, ...]:
        """All that are there, looked for anew where the last look is too long ago."""
        ...

    async def quarantined(self) -> tuple[Quarantined, ...]:
        """What could not be read at the last look."""
        ...

    async def log_tail(self, job: SeenJob, pod: SeenPod) -> tuple[str, ...]:
        """The last lines that the pod printed; empty where nobody has them any more. Never raises."""
        ...

    async def told(self, job: SeenJob, pod: SeenPod | None) -> tuple[str, ...]:
        """The cluster's events of the pod, or of the Job, oldest first. Never raises."""
        ...

    async def remove(self, job: SeenJob) -> None:
        """Delete a Job and its pods; one that is gone, or has another UID by now, is left alone."""
        ...
