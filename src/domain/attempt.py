"""An attempt: one pod, or one local process tree, that works on a run."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from .failure import FailureCause


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """Enough to find an attempt's processes again, and never mistake others for them.

    A process id alone is reused; together with the machine's boot and the process's own start it is unique.
    """

    host: str
    machine: str | None = None
    """The machine's own id, for two machines of one name (``/etc/machine-id``)."""
    boot_id: str | None = None
    """The machine's boot (``/proc/sys/kernel/random/boot_id``); None where the system has no such thing."""
    pid: int | None = None
    """The supervisor."""
    started_ticks: int | None = None
    """The supervisor's start in clock ticks since boot (field 22 of ``/proc/<pid>/stat``)."""
    namespace: str | None = None
    """On a cluster: the pod's. Its UID is the attempt's id, and is never used again."""
    pod: str | None = None
    """On a cluster: the pod's name, for people; one of that name may be another pod."""
    node: str | None = None
    """On a cluster: the node that the pod was on."""
    job: UUID | None = None
    """On a cluster: the UID of the pod's Job."""


class DeathCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended: one an attempt, written whatever happened. Memory is in bytes."""

    cause: FailureCause | None = None
    """None: it ended well."""
    exit_code: int | None = None
    """The payload's own, as it was."""
    signal: str | None = None
    """The signal that ended the payload: ``SIGKILL``."""
    memory_peak: int | None = None
    """The largest resident set of the payload's process tree."""
    memory_limit: int | None = None
    cpu_seconds: float | None = None
    """User and system time of the payload's process tree."""
    message: str | None = None
    reason: str | None = None
    """On a cluster: what Kubernetes calls it, in its own word: ``OOMKilled``, ``Evicted``, ``InvalidImageName``."""
    pod: str | None = None
    node: str | None = None
    events: tuple[str, ...] = ()
    """On a cluster: what it has said of the pod and its Job, oldest first: ``FailedScheduling: 0/1 nodes …``."""
    log_tail: tuple[str, ...] = ()
    recorded_by: str | None = None
    """The actor that wrote it."""
    provisional: bool = False
    """True: it stands in for the attempt's own, which replaces it should it ever be told."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a run; times are aware and by the database's clock."""

    id: UUID
    run_id: UUID
    number: int
    """1 for the first attempt of the run that was recorded."""
    fence: int | None = None
    """Its number from the report database's sequence; None where it may not publish."""
    whereabouts: Whereabouts
    started_at: datetime
    lease_until: datetime
    """Until then nobody else may think it dead."""
    ended_at: datetime | None = None
    progress: float | None = None
    """What the payload last said of itself, 0 to 1."""
    progress_text: str | None = None
    memory: int | None = None
    """Resident bytes of the payload's process tree at the last beat."""
    cpu_seconds: float | None = None
    certificate: DeathCertificate | None = None
