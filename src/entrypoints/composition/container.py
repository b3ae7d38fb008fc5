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
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.local.launcher import LocalLauncher
    from ...adapters.local.spool import FileSpool
    from ...adapters.local.termination_log import TerminationFile
    from ...adapters.postgres.attempt_log import PostgresAttemptLog
    from ...adapters.postgres.run_history import PostgresRunHistory
    from ...adapters.postgres.run_log import PostgresRunLog
    from ...adapters.report.catalogue import PostgresReportCatalogue
    from ...adapters.report.fences import PostgresFences
    from ...adapters.report.publisher import PostgresPublisher
    from ...adapters.system.clock import SystemClock
    from ...adapters.system.ids import SystemIds
    from ...application.reconcile_runs import ReconcileRuns
    from ...application.roll_back_report import RollBackReport
    from ...application.trigger_run import TriggerRun
    from ...application.verify_report import VerifyReport
    from ...domain.database_url import DatabaseUrl

Closing = list[Callable[[], Awaitable[None]]]
"""What has to be closed at the end, in the order in which it was made."""

_NO_LIMIT = 86_400.0
"""Seconds: what ``connect_timeout=0`` in a URL comes to."""


def _clock() -> SystemClock:
    from ...adapters.system.clock import SystemClock

    return SystemClock()


def _ids() -> SystemIds:
    from ...adapters.system.ids import SystemIds

    return SystemIds()


def _address(url: DatabaseUrl, settings: Settings) -> tuple[dict[str, Any], float]:
    """For asyncpg, and the seconds that connecting may take: the URL has the first word."""
    address = url.for_asyncpg()
    if "timeout" not in address:
        return address, settings.connect_timeout.total_seconds()
    return address, address["timeout"] or _NO_LIMIT


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
    )


def _reconcile_runs(run_log: Any, launcher: Any, fences: Any, publisher: Any) -> ReconcileRuns:
    from ...application.reconcile_runs import ReconcileRuns

    return ReconcileRuns(run_log=run_log, launcher=launcher, fences=fences, publisher=publisher)


def _trigger_run(run_log: Any, launcher: Any, ids: Any) -> TriggerRun:
    from ...application.trigger_run import TriggerRun

    return TriggerRun(run_log=run_log, launcher=launcher, ids=ids)


def _roll_back_report(catalogue: Any, run_log: Any, ids: Any) -> RollBackReport:
    from ...application.roll_back_report import RollBackReport

    return RollBackReport(catalogue=catalogue, run_log=run_log, ids=ids)


def _verify_report(catalogue: Any) -> VerifyReport:
    from ...application.verify_report import VerifyReport

    return VerifyReport(catalogue=catalogue)


class Container(containers.DeclarativeContainer):
    """Everything that a use case may need, by name."""

    settings = providers.Dependency(instance_of=Settings)
    databases = providers.Dependency(instance_of=Databases)

    closing: providers.Singleton[Closing] = providers.Singleton(list)
    clock = providers.Singleton(_clock)
    ids = providers.Singleton(_ids)
    spool = providers.Singleton(_spool, settings)
    termination_log = providers.Singleton(_termination_log, settings)
    launcher = providers.Singleton(_launcher, settings)

    # The heartbeat's is its own, on its own thread's loop, and is closed there.
    attempt_log = providers.Singleton(_attempt_log, settings, databases, closing)
    heartbeat_log = providers.Factory(_heartbeat_log, settings, databases)
    engine = providers.Singleton(_engine, settings, databases, closing)
    run_log = providers.Singleton(_run_log, engine)
    run_history = providers.Singleton(_run_history, engine)

    fences = providers.Singleton(_fences, settings, databases)
    publisher = providers.Singleton(_publisher, settings, databases)
    catalogue = providers.Singleton(_catalogue, settings, databases)

    reconcile_runs = providers.Singleton(_reconcile_runs, run_log, launcher, fences, publisher)
    trigger_run = providers.Singleton(_trigger_run, run_log, launcher, ids)
    verify_report = providers.Singleton(_verify_report, catalogue)
    roll_back_report = providers.Singleton(_roll_back_report, catalogue, run_log, ids)


@asynccontextmanager
async def container_for(settings: Settings, databases: Databases) -> AsyncIterator[Container]:
    """A container, and at the end every connection that it made is closed."""
    container = Container(settings=settings, databases=databases)
    try:
        yield container
    finally:
        for close in reversed(container.closing()):
            await close()
