"""What people ask of runs, put together. Imported by every command, so it imports nothing before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...adapters.postgres.run_requests import PostgresRunRequests
    from ...application.launch_run import LaunchRun
    from ...application.trigger_run import TriggerRun


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
