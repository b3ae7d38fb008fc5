"""Domain values with sensible defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from kubescribe.application.ports.attempt_log import Claim
from kubescribe.domain.attempt import DeathCertificate, Whereabouts
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.run_status import RunStatus

LONG_AGO = datetime(2020, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)
HERE = Whereabouts(host="here", boot_id="b007", pid=42, started_ticks=4711)


def a_run(run_id: UUID, **changes: Any) -> Run:
    run = Run(id=run_id, pipeline="flights", actor="user:ann", parameters={"day": 1}, created_at=LONG_AGO)
    return msgspec.structs.replace(run, **changes)


def a_claim(run_id: UUID, attempt_id: UUID, **changes: Any) -> Claim:
    claim = Claim(
        run_id=run_id,
        attempt_id=attempt_id,
        pipeline="flights",
        parameters={"day": 1},
        trigger=Trigger.MANUAL,
        actor="user:ann",
        may_publish=True,
        fence=None,
        whereabouts=HERE,
        lease=60.0,
        run_deadline=86400.0,
    )
    return msgspec.structs.replace(claim, **changes)


def succeeded(**changes: Any) -> Outcome:
    outcome = Outcome(
        status=RunStatus.SUCCEEDED,
        exit_code=0,
        certificate=DeathCertificate(exit_code=0, memory_peak=1000, cpu_seconds=0.5, recorded_by="attempt"),
        duration=1.5,
    )
    return msgspec.structs.replace(outcome, **changes)


def failed(cause: FailureCause = FailureCause.ERROR, message: str = "it broke", **changes: Any) -> Outcome:
    outcome = Outcome(
        status=RunStatus.FAILED,
        exit_code=1,
        certificate=DeathCertificate(cause=cause, exit_code=1, message=message, log_tail=("one", "two")),
        duration=2.5,
    )
    return msgspec.structs.replace(outcome, **changes)
