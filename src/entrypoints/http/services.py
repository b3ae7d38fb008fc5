"""What the routes hand over to. Made by the composition root; by tests of in-memory adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...application.authenticate import Authenticate
from ...application.authoring.registry import Registry
from ...application.cancel_run import CancelRun
from ...application.ports.clock import Clock
from ...application.ports.report_catalogue import ReportCatalogue
from ...application.ports.run_history import RunHistory
from ...application.ports.run_log import RunLog
from ...application.retry_run import RetryRun
from ...application.sign_in import SignIn
from ...application.trigger_run import TriggerRun
from .readiness import Readiness


@dataclass(frozen=True, kw_only=True)
class Services:
    """Use cases and ports, one of each."""

    run_log: RunLog
    history: RunHistory
    pipelines: Registry
    trigger_run: TriggerRun
    cancel_run: CancelRun
    retry_run: RetryRun
    refuse_secrets: Callable[[str, Mapping[str, object]], None]
    """Raises :class:`BadParameters` where a parameter of the pipeline holds a password of ours."""
    catalogue: Callable[[], ReportCatalogue]
    """Raises :class:`NotConfigured` where there is no report database."""
    authenticate: Authenticate
    sign_in: SignIn
    clock: Clock
    readiness: Readiness
    nudge: Callable[[], None] = lambda: None
    """There is something for the reconciler to do."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server ends: streams end with it."""
