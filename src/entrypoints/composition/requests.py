"""What people ask of runs, put together. Imported by every command, so it imports nothing before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..settings import Settings
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.postgres.pauses import PostgresPauses
    from ...adapters.postgres.run_requests import PostgresRunRequests
    from ...application.cancel_run import CancelRun
    from ...application.finish_cancel import FinishCancel
    from ...application.launch_run import LaunchRun
    from ...application.resume_pipeline import ResumePipeline
    from ...application.retry_run import RetryRun
    from ...application.trigger_run import TriggerRun

_MARGIN = 10.0
"""Seconds beside heartbeat and grace before a supervisor that was told to end is killed."""


def run_requests(engine: Any) -> PostgresRunRequests:
    """Where runs are accepted."""
    from ...adapters.postgres.run_requests import PostgresRunRequests

    return PostgresRunRequests(engine)


def launch_run(run_log: Any, requests: Any, launcher: Any) -> LaunchRun:
    """The use case."""
    from ...application.launch_run import LaunchRun

    return LaunchRun(run_log=run_log, requests=requests, launcher=launcher)


def trigger_run(requests: Any, launch: Any, ids: Any) -> TriggerRun:
    """The use case."""
    from ...application.trigger_run import TriggerRun

    return TriggerRun(requests=requests, launch=launch, ids=ids)


def finish_cancel(
    settings: Settings, databases: Databases, run_log: Any, launcher: Any, fences: Any, publisher: Any
) -> FinishCancel:
    """The use case, with a look at the sessions on every database that is configured."""
    from ...adapters.postgres.sessions import PostgresSessions
    from ...application.finish_cancel import FinishCancel

    urls = {"production": databases.production_url, "report": databases.report_url}
    sessions = [
        PostgresSessions(url.for_asyncpg(), database=name, connect_timeout=settings.connect_timeout.total_seconds())
        for name, url in urls.items()
        if url is not None
    ]
    return FinishCancel(
        run_log=run_log,
        launcher=launcher,
        fences=fences,
        publisher=publisher,
        sessions=tuple(sessions),
        unseen=tuple(name for name, url in urls.items() if url is None),
        patience=(settings.heartbeat + settings.grace).total_seconds() + _MARGIN,
    )


def cancel_run(run_log: Any, history: Any, launcher: Any, finish: Any) -> CancelRun:
    """The use case."""
    from ...application.cancel_run import CancelRun

    return CancelRun(run_log=run_log, history=history, launcher=launcher, finish=finish)


def retry_run(run_log: Any, requests: Any, launch: Any, ids: Any) -> RetryRun:
    """The use case."""
    from ...application.retry_run import RetryRun

    return RetryRun(run_log=run_log, requests=requests, launch=launch, ids=ids)


def pauses(engine: Any) -> PostgresPauses:
    """Where pauses are kept."""
    from ...adapters.postgres.pauses import PostgresPauses

    return PostgresPauses(engine)


def resume_pipeline(kept: Any) -> ResumePipeline:
    """The use case."""
    from ...application.resume_pipeline import ResumePipeline

    return ResumePipeline(pauses=kept)
