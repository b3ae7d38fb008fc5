"""The API's process: the routes' services, and the reconciler beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ...application import metrics
from ...application.authoring.registry import Registry
from ...application.keep_doing import KeepDoing
from ...application.keep_reconciling import KeepReconciling
from ...application.ports.report_reader import ReportReader
from ...application.ports.row_encoder import RowEncoder
from ...application.ports.run_log import RunFilter
from ...application.roll_back_report import RollBackReport
from ...domain.errors import ReportNotFound
from ...domain.row_format import RowFormat
from ...domain.tenant import Tenant
from .. import secrets
from ..http.readiness import Check, Readiness
from ..http.services import Services
from ..log_lines import bound
from .browsing import json_objects, row_encoder
from .container import Container
from .incidents import incident_pass
from .looking_after import one_pass
from .slots import slot_pass
from .watching import collect_metrics

PROBE_NAME = "kubescribe-readiness"
"""What is asked for to see whether a database answers; nothing is called so."""


def services(
    container: Container,
    pipelines: Registry,
    nudge: Callable[[], None],
    figures: metrics.Registry,
    told: Sequence[KeepDoing | KeepReconciling],
) -> Services:
    """What the routes need; ``told``: the loops whose figures are brought up to date when they are read."""

    def refuse_secrets(pipeline: str, parameters: Mapping[str, object]) -> None:
        secrets.refuse_secrets(pipeline, parameters, container.databases())

    async def metrics_of(tenant: Tenant) -> str:
        for loop in told:
            loop.told()
        return await collect_metrics(container, figures, tenant)()

    def reconciled_ago() -> float | None:
        return next((loop.age() for loop in told if isinstance(loop, KeepReconciling)), None)

    def reader() -> ReportReader:
        return container.report_reader()

    def roll_back() -> RollBackReport:
        return container.roll_back_report()

    def encoder(kind: RowFormat, formula_safe: bool) -> RowEncoder:
        return row_encoder(kind, formula_safe=formula_safe)

    return Services(
        run_log=container.run_log(),
        history=container.run_history(),
        pipelines=pipelines,
        trigger_run=container.trigger_run(),
        cancel_run=container.cancel_run(),
        retry_run=container.retry_run(),
        follow_run=container.follow_run(),
        explain_run=container.explain_run(),
        describe_pipeline=container.describe_pipeline(),
        explain_pipeline=container.explain_pipeline(),
        pauses=container.pauses(),
        slots=container.shown_slots(),  # a connection beside that of whoever starts slots: a long look delays none
        resume_pipeline=container.resume_pipeline(),
        incidents=container.incidents(),
        handle_incident=container.handle_incident(),
        promises=container.promise_book(),
        refuse_secrets=refuse_secrets,
        tenant=container.settings().tenant,
        reader=reader,
        roll_back_report=roll_back,
        encoder=encoder,
        as_objects=json_objects,
        download_rows=container.settings().download_rows,
        authenticate=container.authenticate(),
        sign_in=container.sign_in(),
        clock=container.clock(),
        readiness=Readiness(_checks(container), container.clock()),
        reconciled_ago=reconciled_ago,
        metrics=metrics_of,
        nudge=nudge,
    )


def reconciler(
    container: Container, pipelines: Registry, figures: metrics.Registry, say: Callable[[str], None]
) -> KeepReconciling:
    """The loop."""
    slots = slot_pass(container, pipelines, fires=True, figures=figures)
    incidents = incident_pass(container, pipelines)

    async def reconcile() -> Sequence[str]:
        passed = await one_pass(container, lambda name: pipelines.get(name).pipeline, slots, incidents)
        for run in passed.reconciled.changed:
            with bound(run_id=run.id):
                say(f"run {run.id} of {run.pipeline} was found to be {run.status}")
        if container.databases().report_url is not None:
            await container.record_rollbacks()(tenant=container.settings().tenant)
        return (*passed.late, *passed.reconciled.problems)

    return KeepReconciling(reconcile, container.leadership(), container.ids().new(), say=say, registry=figures)


def _checks(container: Container) -> dict[str, Check]:
    async def runlog() -> None:
        from ...adapters.postgres.engine import check_writable

        await container.run_log().find(RunFilter(pipeline=PROBE_NAME), limit=1)
        await check_writable(container.engine())

    async def report() -> None:
        with suppress(ReportNotFound):
            await container.catalogue().get(PROBE_NAME)

    checks: dict[str, Check] = {"runlog": runlog}
    if container.databases().report_url is not None:
        checks["report"] = report
    return checks


async def cancelled(task: asyncio.Task[None]) -> None:
    """End a task, and wait until it has."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
