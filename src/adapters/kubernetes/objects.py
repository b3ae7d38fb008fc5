"""What is read of Kubernetes' objects: the fields that matter here, whatever others there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Fields that are not named here are passed over."""


class Owner(_Part, frozen=True):
    """Who has made it."""

    kind: str
    name: str
    uid: str
    controller: bool | None = None


class Metadata(_Part, frozen=True):
    """Of any object."""

    name: str
    uid: UUID
    namespace: str
    creation_timestamp: datetime
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: datetime | None = None
    owner_references: tuple[Owner, ...] | None = None


class Condition(_Part, frozen=True):
    """Of a Job or a pod."""

    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


class Variable(_Part, frozen=True):
    """Of a container's environment."""

    name: str


class Resources(_Part, frozen=True):
    """Of a container."""

    limits: dict[str, Any] | None = None


class Container(_Part, frozen=True):
    """Of a pod's spec."""

    name: str
    env: tuple[Variable, ...] | None = None
    resources: Resources | None = None

    @property
    def variables(self) -> frozenset[str]:
        """The names of its environment."""
        return frozenset(one.name for one in self.env or ())


class PodSpec(_Part, frozen=True):
    """Of a pod, or of a Job's template."""

    containers: tuple[Container, ...]
    node_name: str | None = None


class PodTemplate(_Part, frozen=True):
    """Of a Job."""

    spec: PodSpec


class JobSpec(_Part, frozen=True):
    """Of a Job."""

    template: PodTemplate
    active_deadline_seconds: float | None = None
    backoff_limit: int | None = None


class JobStatus(_Part, frozen=True):
    """Of a Job."""

    conditions: tuple[Condition, ...] | None = None


class Job(_Part, frozen=True):
    """``batch/v1`` Job."""

    metadata: Metadata
    spec: JobSpec
    status: JobStatus = JobStatus()


class CronJobSpec(_Part, frozen=True):
    """Of a CronJob."""

    schedule: str
    time_zone: str | None = None
    suspend: bool | None = None
    starting_deadline_seconds: float | None = None
    concurrency_policy: str | None = None


class CronJobStatus(_Part, frozen=True):
    """Of a CronJob."""

    last_schedule_time: datetime | None = None


class CronJob(_Part, frozen=True):
    """``batch/v1`` CronJob, without its template."""

    metadata: Metadata
    spec: CronJobSpec
    status: CronJobStatus = CronJobStatus()


class Waiting(_Part, frozen=True):
    """Why a container does not run yet."""

    reason: str | None = None
    message: str | None = None


class Running(_Part, frozen=True):
    """That a container runs."""

    started_at: datetime | None = None


class Terminated(_Part, frozen=True):
    """How a container ended."""

    exit_code: int
    signal: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(_Part, frozen=True):
    """One of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Part, frozen=True):
    """Of one container of a pod."""

    name: str
    state: ContainerState | None = None


class PodStatus(_Part, frozen=True):
    """Of a pod."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(_Part, frozen=True):
    """``v1`` Pod."""

    metadata: Metadata
    spec: PodSpec
    status: PodStatus = PodStatus()


class Involved(_Part, frozen=True):
    """What an event is about."""

    uid: str | None = None


class Event(_Part, frozen=True):
    """``v1`` Event."""

    involved_object: Involved = Involved()
    reason: str | None = None
    message: str | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    count: int | None = None


class ListMetadata(_Part, frozen=True):
    """Of a page."""

    resource_version: str
    next: str | None = msgspec.field(default=None, name="continue")


class Page(_Part, frozen=True):
    """A page of a list; each object is read on its own, so that one that cannot be read keeps no other back."""

    metadata: ListMetadata
    items: tuple[msgspec.Raw, ...] | None = None


class Change(_Part, frozen=True):
    """A line of a watch."""

    type: str
    object: msgspec.Raw


class Sketch(msgspec.Struct, frozen=True):
    """What can be said of an object that cannot be read."""

    metadata: dict[str, Any] = {}
