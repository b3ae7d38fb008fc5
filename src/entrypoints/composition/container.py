"""The graph of one process, for one event loop. Adapters are imported when they are first asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dependency_injector import containers, providers

from ..settings import Settings
from . import access, cluster, history, requests, slots
from .addresses import address as _address
from .browsing import compare_versions, record_rollbacks, report_reader
from .databases import Databases
from .incidents import handle_incident, incidents, promise_book

if TYPE_CHECKING:
    from ...adapters.local.launcher import LocalLauncher
    from ...adapters.local.spool import FileSpool
    from ...adapters.local.termination_log import TerminationFile
    from ...adapters.postgres.attempt_log import PostgresAttemptLog
    from ...adapters.postgres.event_chain import PostgresEventChain
    from ...adapters.postgres.outbox import PostgresOutbox
    from ...adapters.postgres.reminders import PostgresReminders
    from ...adapters.postgres.run_figures import PostgresRunFigures
    from ...adapters.postgres.run_history import PostgresRunHistory
    from ...adapters.postgres.run_log import PostgresRunLog
    from ...adapters.report.catalogue import PostgresReportCatalogue
    from ...adapters.report.fences import PostgresFences
    from ...adapters.report.publisher import PostgresPublisher
    from ...adapters.report.rehearsals import PostgresRehearsals
    from ...adapters.system.clock import SystemClock
    from ...adapters.system.ids import SystemIds
    from ...application.reconcile_runs import ReconcileRuns
    from ...application.roll_back_report import RollBackReport
    from ...application.verify_report import VerifyReport

Closing = list[Callable[[], Awaitable[None]]]
"""What has to be closed at the end, in the order in which it was made."""


def _clock() -> SystemClock:
    from ...adapters.system.clock import SystemClock

    return SystemClock()


def _ids() -> SystemIds:
    from ...adapters.system.ids import SystemIds

    return SystemIds()


def _heartbeat_log(settings: Settings, databases: Databases) -> PostgresAttemptLog:
    from ...adapters.postgres.attempt_log import PostgresAttemptLog

    address, connect_timeout = _address(databases.runlog, settings)
    return PostgresAttemptLog(address, connect_timeout=connect_timeout)


def _attempt_log(settings: Settings, databases: Databases, closing: Closing) -> PostgresAttemptLog:
    log = _heartbeat_log(settings, databases)
    closing.append(log.close)
    return log


def _engine(settings: Settings, databases: Databases, closing: Closing) -> Any:
    from ...adapters.postgres.engine import runlog_engine

    address, connect_timeout = _address(databases.runlog, settings)
    engine = runlog_engine(address, connect_timeout=connect_timeout)
    closing.append(engine.dispose)
    return engine


def _run_log(engine: Any) -> PostgresRunLog:
    from ...adapters.postgres.run_log import PostgresRunLog

    return PostgresRunLog(engine)


def _run_history(engine: Any) -> PostgresRunHistory:
    from ...adapters.postgres.run_history import PostgresRunHistory

    return PostgresRunHistory(engine)


def _fences(settings: Settings, databases: Databases) -> PostgresFences | None:
    if databases.report_url is None:
        return None
    from ...adapters.report.fences import PostgresFences

    address, connect_timeout = _address(databases.report_url, settings)
    return PostgresFences(address, connect_timeout=connect_timeout)


def _publisher(settings: Settings, databases: Databases) -> PostgresPublisher | None:
    if databases.report_url is None:
        return None
    from ...adapters.report.publisher import PostgresPublisher

    address, connect_timeout = _address(databases.report_url, settings)
    return PostgresPublisher(address, connect_timeout=connect_timeout, schema=settings.report_schema)


def _rehearsals(settings: Settings, databases: Databases) -> PostgresRehearsals | None:
    if databases.report_url is None:
        return None
    from ...adapters.report.rehearsals import PostgresRehearsals

    address, connect_timeout = _address(databases.report_url, settings)
    return PostgresRehearsals(address, connect_timeout=connect_timeout)


def _catalogue(settings: Settings, databases: Databases) -> PostgresReportCatalogue:
    from ...adapters.report.catalogue import PostgresReportCatalogue

    address, connect_timeout = _address(databases.report, settings)
    return PostgresReportCatalogue(address, connect_timeout=connect_timeout, schema=settings.report_schema)


def _spool(settings: Settings) -> FileSpool:
    from ...adapters.local.spool import FileSpool

    return FileSpool(settings.home / "spool")


def _termination_log(settings: Settings) -> TerminationFile:
    from ...adapters.local.termination_log import TerminationFile

    return TerminationFile(settings.termination_log)


def _launcher(settings: Settings) -> LocalLauncher:
    from ...adapters.local.launcher import LocalLauncher

    command = [sys.executable, "-m", "kubescribe.entrypoints.cli.main", "run"]
    return LocalLauncher(
        command,
        environment=os.environ,
        folder=Path.cwd(),
        logs=settings.home / "logs",
        payloads=settings.home / "run",
        limit=settings.max_runs,
    )


def _launches(settings: Settings) -> str:
    return "kubernetes" if cluster.on_cluster(settings) else "local"


def _reconcile_runs(
    run_log: Any, launcher: Any, fences: Any, publisher: Any, launch: Any, finish_cancel: Any
) -> ReconcileRuns:
    from ...application.reconcile_runs import ReconcileRuns

    return ReconcileRuns(
        run_log=run_log,
        launcher=launcher,
        fences=fences,
        publisher=publisher,
        launch=launch,
        finish_cancel=finish_cancel,
    )


def _roll_back_report(catalogue: Any, run_log: Any, ids: Any) -> RollBackReport:
    from ...application.roll_back_report import RollBackReport

    return RollBackReport(catalogue=catalogue, run_log=run_log, ids=ids)


def _verify_report(catalogue: Any) -> VerifyReport:
    from ...application.verify_report import VerifyReport

    return VerifyReport(catalogue=catalogue)


def _event_chain(settings: Settings, databases: Databases, closing: Closing) -> PostgresEventChain:
    from ...adapters.postgres.event_chain import PostgresEventChain

    address, connect_timeout = _address(databases.runlog, settings)
    chain = PostgresEventChain(address, connect_timeout=connect_timeout)
    closing.append(chain.close)
    return chain


def _outbox(settings: Settings, databases: Databases, closing: Closing) -> PostgresOutbox:
    from ...adapters.postgres.outbox import PostgresOutbox

    address, connect_timeout = _address(databases.runlog, settings)
    outbox = PostgresOutbox(address, connect_timeout=connect_timeout)
    closing.append(outbox.close)
    return outbox


def _reminders(settings: Settings, databases: Databases, closing: Closing) -> PostgresReminders:
    from ...adapters.postgres.reminders import PostgresReminders

    address, connect_timeout = _address(databases.runlog, settings)
    reminders = PostgresReminders(address, connect_timeout=connect_timeout)
    closing.append(reminders.close)
    return reminders


def _run_figures(settings: Settings, databases: Databases, closing: Closing) -> PostgresRunFigures:
    from ...adapters.postgres.run_figures import PostgresRunFigures

    address, connect_timeout = _address(databases.runlog, settings)
    figures = PostgresRunFigures(address, connect_timeout=connect_timeout)
    closing.append(figures.close)
    return figures


class Container(containers.DeclarativeContainer):
    """Everything that a use case may need, by name."""

    settings = providers.Dependency(instance_of=Settings)
    databases = providers.Dependency(instance_of=Databases)

    closing: providers.Singleton[Closing] = providers.Singleton(list)
    clock = providers.Singleton(_clock)
    ids = providers.Singleton(_ids)
    spool = providers.Singleton(_spool, settings)
    termination_log = providers.Singleton(_termination_log, settings)
    api_server = providers.Singleton(cluster.api_server, settings, closing)
    foreign_text = providers.Singleton(cluster.foreign_text, settings, databases)
    cluster_view = providers.Singleton(cluster.cluster_view, settings, api_server, clock, foreign_text)
    cluster_jobs = providers.Singleton(cluster.cluster_jobs, api_server, cluster_view, foreign_text)
    launcher = providers.Selector(
        providers.Callable(_launches, settings),
        local=providers.Singleton(_launcher, settings),
        kubernetes=providers.Singleton(cluster.kubernetes_launcher, settings, api_server, cluster_view, clock),
    )

    # The heartbeat's is its own, on its own thread's loop, and is closed there.
    attempt_log = providers.Singleton(_attempt_log, settings, databases, closing)
    heartbeat_log = providers.Factory(_heartbeat_log, settings, databases)
    engine = providers.Singleton(_engine, settings, databases, closing)
    run_log = providers.Singleton(_run_log, engine)
    run_history = providers.Singleton(_run_history, engine)

    tokens = providers.Singleton(access.tokens, engine)
    web_sessions = providers.Singleton(access.web_sessions, engine)
    leadership = providers.Singleton(access.leadership, engine)
    randomness = providers.Singleton(access.randomness)
    create_token = providers.Singleton(access.create_token, tokens, ids, randomness)
    sign_in = providers.Singleton(access.sign_in, web_sessions, ids, randomness)
    authenticate = providers.Singleton(access.authenticate, settings, tokens, web_sessions, clock)

    outbox = providers.Singleton(_outbox, settings, databases, closing)
    shown_slots = providers.Singleton(slots.slots, settings, databases, closing)
    slots = providers.Singleton(slots.slots, settings, databases, closing)
    reminders = providers.Singleton(_reminders, settings, databases, closing)
    run_figures = providers.Singleton(_run_figures, settings, databases, closing)
    event_chain = providers.Singleton(_event_chain, settings, databases, closing)
    changes = providers.Singleton(history.changes, settings, databases, closing)
    follow_run = providers.Singleton(history.follow_run, run_log, run_history, changes)
    describe_pipeline = providers.Singleton(history.describe_pipeline, run_log)

    fences = providers.Singleton(_fences, settings, databases)
    publisher = providers.Singleton(_publisher, settings, databases)
    rehearsals = providers.Singleton(_rehearsals, settings, databases)
    catalogue = providers.Singleton(_catalogue, settings, databases)

    report_reader = providers.Singleton(report_reader, settings, databases)
    compare_versions = providers.Singleton(compare_versions, report_reader)

    run_requests = providers.Singleton(requests.run_requests, engine)
    launch_run = providers.Singleton(requests.launch_run, run_log, run_requests, launcher)
    finish_cancel = providers.Singleton(
        requests.finish_cancel, settings, databases, run_log, launcher, fences, publisher
    )
    pauses = providers.Singleton(requests.pauses, engine)
    incidents = providers.Singleton(incidents, engine)
    handle_incident = providers.Singleton(handle_incident, incidents)
    promise_book = providers.Singleton(promise_book, settings, databases, closing)
    resume_pipeline = providers.Singleton(requests.resume_pipeline, pauses)
    explain_run = providers.Singleton(history.explain_run, run_log, run_history)
    explain_pipeline = providers.Singleton(history.explain_pipeline, describe_pipeline, pauses, shown_slots)
    retry_run = providers.Singleton(requests.retry_run, run_log, run_requests, launch_run, ids)
    cancel_run = providers.Singleton(requests.cancel_run, run_log, run_history, launcher, finish_cancel)
    reconcile_runs = providers.Singleton(
        _reconcile_runs, run_log, launcher, fences, publisher, launch_run, finish_cancel
    )
    job_log = providers.Singleton(cluster.job_log, engine)
    observe_jobs = providers.Singleton(cluster.observe_jobs, settings, cluster_jobs, job_log, run_log, attempt_log)
    schedules = providers.Singleton(cluster.schedules, settings, api_server, cluster_view)
    hint_pauses = providers.Singleton(cluster.hint_pauses, schedules, pauses)
    clear_jobs = providers.Singleton(cluster.clear_jobs, settings, cluster_jobs, job_log)
    trigger_run = providers.Singleton(requests.trigger_run, run_requests, launch_run, ids)
    verify_report = providers.Singleton(_verify_report, catalogue)
    roll_back_report = providers.Singleton(_roll_back_report, catalogue, run_log, ids)
    record_rollbacks = providers.Singleton(record_rollbacks, catalogue, run_log)


@asynccontextmanager
async def container_for(settings: Settings, databases: Databases) -> AsyncIterator[Container]:
    """A container, and at the end every connection that it made is closed."""
    container = Container(settings=settings, databases=databases)
    try:
        yield container
    finally:
        for close in reversed(container.closing()):
            await close()
