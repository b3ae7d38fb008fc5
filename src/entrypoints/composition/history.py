"""Looks at the history, put together. Imported by every command, so it imports nothing before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..settings import Settings
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.postgres.changes import PostgresChanges
    from ...application.describe_pipeline import DescribePipeline
    from ...application.explain_pipeline import ExplainPipeline
    from ...application.explain_run import ExplainRun
    from ...application.follow_run import FollowRun


def changes(settings: Settings, databases: Databases, closing: Any) -> PostgresChanges:
    """Who tells of what is written, over one connection of its own."""
    from ...adapters.postgres.changes import PostgresChanges

    url = databases.runlog
    told = PostgresChanges(url.for_asyncpg(), connect_timeout=settings.connect_timeout.total_seconds())
    closing.append(told.close)
    return told


def follow_run(run_log: Any, history: Any, told: Any) -> FollowRun:
    """The use case."""
    from ...application.follow_run import FollowRun

    return FollowRun(run_log=run_log, history=history, changes=told)


def describe_pipeline(run_log: Any) -> DescribePipeline:
    """The use case."""
    from ...application.describe_pipeline import DescribePipeline

    return DescribePipeline(run_log=run_log)


def explain_run(run_log: Any, history: Any) -> ExplainRun:
    """The use case."""
    from ...application.explain_run import ExplainRun

    return ExplainRun(run_log=run_log, history=history)


def explain_pipeline(describe: Any, pauses: Any, slots: Any) -> ExplainPipeline:
    """The use case."""
    from ...application.explain_pipeline import ExplainPipeline

    return ExplainPipeline(describe=describe, pauses=pauses, slots=slots)
