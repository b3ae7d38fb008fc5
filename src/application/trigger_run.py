"""Accept a run, and have a supervisor started for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from ..domain.pipeline import Pipeline
from ..domain.request_key import RequestKey
from ..domain.run import Run, Trigger
from ..domain.run_mode import RunMode
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .failpoints import failpoint
from .launch_run import LaunchRun
from .ports.ids import Ids
from .ports.run_requests import Accepted, RunRequests


class TriggerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for."""

    run_id: UUID | None = None
    """None: a new one. A run with this id that is there already is the answer, and nothing is asked for again."""
    tenant: Tenant = DEFAULT_TENANT
    pipeline: Pipeline
    parameters: dict[str, Any]
    """As :func:`~kubescribe.application.authoring.parameters.accepted_parameters` gives them."""
    actor: str
    trigger: Trigger = Trigger.MANUAL
    reason: str | None = None
    slot: datetime | None = None
    mode: RunMode = RunMode.PUBLISH
    key: str | None = None
    """The Idempotency-Key."""
    method: str | None = None
    """How it was asked for, as in an event."""


class TriggerRun:
    """Triggers one run: first the record, then the launch, so that a run which was accepted is never lost."""

    def __init__(self, *, requests: RunRequests, launch: LaunchRun, ids: Ids) -> None:
        self._requests = requests
        self._launch = launch
        self._ids = ids

    async def __call__(self, request: TriggerRequest) -> Accepted:
        """The run: new, and PENDING or (where it could not be launched) FAILED; or the one of an earlier request.

        Raises :class:`BadRequestKey`, :class:`KeyReused`, and :class:`DatabaseUnavailable`: then nobody knows whether
        it was accepted, and with a key the request may be repeated.
        """
        asked = {
            "tenant": request.tenant,
            "pipeline": request.pipeline.name,
            "parameters": request.parameters,
            "reason": request.reason,
            "slot": None if request.slot is None else request.slot.astimezone(UTC).isoformat(),
            "mode": request.mode,
        }
        accepted = await self._requests.accept(
            Run(
                id=request.run_id or self._ids.new(),
                tenant=request.tenant,
                pipeline=request.pipeline.name,
                trigger=request.trigger,
                actor=request.actor,
                reason=request.reason,
                mode=request.mode,
                parameters=request.parameters,
                slot=request.slot,
                code_version=request.pipeline.code_version,
                may_publish=request.pipeline.may_publish and request.mode is RunMode.PUBLISH,
                created_at=datetime.now(UTC),  # RunLog puts its own clock's time
            ),
            key=None if request.key is None else RequestKey.of(request.key, asked),
            start_deadline=request.pipeline.start_deadline,
            method=request.method,
        )
        failpoint("trigger.accepted")
        if not accepted.new:
            return accepted
        return Accepted(await self._launch.soon(accepted.run, actor=request.actor), True)
