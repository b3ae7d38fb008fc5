"""What the routes hand over to. Made by the composition root; by tests of in-memory adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...application.authenticate import Authenticate
from ...application.authoring.registry import Registry
from ...application.cancel_run import CancelRun
from ...application.describe_pipeline import DescribePipeline
from ...application.explain_pipeline import ExplainPipeline
from ...application.explain_run import ExplainRun
from ...application.follow_run import FollowRun
from ...application.handle_incident import HandleIncident
from ...application.ports.clock import Clock
from ...application.ports.incidents import Incidents
from ...application.ports.pauses import Pauses
from ...application.ports.promises import PromiseBook
from ...application.ports.report_reader import ReportReader, Row
from ...application.ports.row_encoder import RowEncoder
from ...application.ports.run_history import RunHistory
from ...application.ports.run_log import RunLog
from ...application.ports.slots import Slots
from ...application.resume_pipeline import ResumePipeline
from ...application.retry_run import RetryRun
from ...application.roll_back_report import RollBackReport
from ...application.sign_in import SignIn
from ...application.trigger_run import TriggerRun
from ...domain.errors import ReportNotFound
from ...domain.launch import Launch
from ...domain.report import Column
from ...domain.row_format import RowFormat
from ...domain.run import Run
from ...domain.tenant import Tenant
from .readiness import Readiness
from .streams import Streams


@dataclass(frozen=True, kw_only=True)
class Services:
    """Use cases and ports, one of each."""

    run_log: RunLog
    history: RunHistory
    tenant: Tenant
    """Whose pipelines and reports this process has; runs are of whoever asks."""
    pipelines: Registry
    trigger_run: TriggerRun
    cancel_run: CancelRun
    retry_run: RetryRun
    follow_run: FollowRun
    explain_run: ExplainRun
    describe_pipeline: DescribePipeline
    explain_pipeline: ExplainPipeline
    pauses: Pauses
    slots: Slots
    resume_pipeline: ResumePipeline
    incidents: Incidents
    handle_incident: HandleIncident
    promises: PromiseBook
    refuse_secrets: Callable[[str, Mapping[str, object]], None]
    """Raises :class:`BadParameters` where a parameter of the pipeline holds a password of ours."""
    reader: Callable[[], ReportReader]
    """Raises :class:`NotConfigured` where there is no report database; so does the next one."""
    roll_back_report: Callable[[], RollBackReport]
    encoder: Callable[[RowFormat, bool], RowEncoder]
    """Of a format; True: what no spreadsheet takes for formulas."""
    as_objects: Callable[[tuple[Column, ...], tuple[Row, ...]], list[dict[str, Any]]]
    """Rows as JSON has them."""
    download_rows: int
    """The most rows of one download."""
    authenticate: Authenticate
    sign_in: SignIn
    clock: Clock
    readiness: Readiness
    reconciled_ago: Callable[[], float | None] = lambda: None
    """Seconds since runs were last looked after; None: this process does not."""
    metrics: Callable[[Tenant], Awaitable[str]]
    """The tenant's figures and this process's, as Prometheus reads them."""
    nudge: Callable[[], None] = lambda: None
    """There is something for the reconciler to do."""
    streams: Streams = field(default_factory=Streams)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server ends: streams end with it."""

    def look_after(self, run: Run) -> None:
        """Have the reconciler look at a run that was accepted just now, and neither launched nor told why it waits."""
        if run.launch is Launch.DUE and run.message is None:
            self.nudge()

    def serves(self, tenant: Tenant) -> bool:
        """Whether the process's pipelines and reports are this tenant's."""
        return tenant == self.tenant

    def declared(self, tenant: Tenant) -> Registry:
        """The tenant's pipelines."""
        return self.pipelines if self.serves(tenant) else Registry()

    def reader_of(self, report: str, tenant: Tenant) -> ReportReader:
        """A reader for one of the tenant's reports; raises :class:`ReportNotFound` where it can have none here."""
        if not self.serves(tenant):
            raise ReportNotFound(report)
        return self.reader()
