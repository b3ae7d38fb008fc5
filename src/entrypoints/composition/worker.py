"""What a worker works with: each database is opened, and its driver imported, when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...application.authoring.context import Tell, Tools
from ...application.ports.payload import Assignment

if TYPE_CHECKING:
    from ...application.ports.source import Source
    from ...application.ports.staging import Staging

_NAME_LIMIT = 63
"""What the server keeps of an ``application_name``."""


def tools(assignment: Assignment, tell: Tell, *, snapshot: str) -> Tools:
    """The tools of one attempt; ``snapshot`` as the pipeline declares it."""
    # All of the run's id, and of the attempt's what fits.
    name = f"ks:{assignment.run_id}:{assignment.attempt_id}"[:_NAME_LIMIT]
    production, report = assignment.production, assignment.report

    def source() -> Source:
        from ...adapters.source.postgres import PostgresSource

        assert production is not None
        return PostgresSource(
            production,
            application_name=name,
            statement_timeout=assignment.statement_timeout,
            snapshot_max_age=assignment.snapshot_max_age,
            snapshot=snapshot,
        )

    def staging() -> Staging:
        from ...adapters.report.staging import PostgresStaging

        assert report is not None
        return PostgresStaging(report, schema=assignment.report_schema, application_name=name)

    return Tools(tell, source if production is not None else None, staging if report is not None else None)
