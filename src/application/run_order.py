"""What is to be executed, and within which limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ..domain.pipeline import DEFAULT_RUN_DEADLINE
from ..domain.run import Trigger
from ..domain.run_mode import RunMode
from ..domain.tenant import DEFAULT_TENANT, Tenant


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One run to execute. Durations are seconds."""

    run_id: UUID
    tenant: Tenant = DEFAULT_TENANT
    name: str
    """The pipeline's, or the name under which a command is recorded."""
    accepted: bool = False
    """Somebody else knows of this run already, so it needs a record even if it cannot begin."""
    declares: bool = True
    """True: a worker that declares its pipeline first. False: any command, at work at once."""
    parameters: dict[str, Any] = {}
    """Of a command: kept on the record. A pipeline's come with its declaration."""
    trigger: Trigger = Trigger.MANUAL
    actor: str
    reason: str | None = None
    mode: RunMode = RunMode.PUBLISH
    slot: datetime | None = None
    run_deadline: float = DEFAULT_RUN_DEADLINE
    """Of a command; a pipeline declares its own."""
    retries: int | None = None
    """None: what the pipeline declares."""
    retry_delay: float | None = None
    one_attempt: bool = False
    """Further attempts are not this supervisor's but its Job's: it makes one, and leaves the run's verdict to whoever
    sees the Job end, unless no further attempt could mend what went wrong."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor's own limits. Durations are seconds."""

    heartbeat: float = 10.0
    lease: float = 60.0
    grace: float = 30.0
    """Between SIGTERM and SIGKILL."""
    log_cap: int = 10 * 1024 * 1024
    """Bytes of output that RunLog keeps of an attempt."""
    keep_versions: int = 5
    declare_within: float = 300.0
    """For a worker to import its pipeline and declare it."""
    flush: float = 0.5
    """How often notes and output are written."""
    record_patience: float = 5.0
    """How long the end waits for a RunLog that is away, before the record is left in the spool."""
