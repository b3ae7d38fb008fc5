"""A pipeline that a test of schedules need not wait for."""

from __future__ import annotations

from kubescribe import Context, pipeline


@pipeline(schedule="@every 3s", reports=[], start_deadline="30s", run_deadline="1m")
def tick(run: Context) -> None:
    """Do nothing."""
