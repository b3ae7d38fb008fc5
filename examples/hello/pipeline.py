"""``KUBESCRIBE_PIPELINES=examples.hello.pipeline``: reads what every PostgreSQL has, and publishes a report of it."""

from __future__ import annotations

from kubescribe import Context, pipeline, rows


@pipeline(schedule="*/5 * * * *", run_deadline="5m", retries=1, reports=("tables_by_schema",), memory="512Mi")
def hello(run: Context) -> None:
    """How many tables each schema of the production database has."""
    run.report(
        "tables_by_schema",
        run.read(
            "SELECT table_schema::text AS schema, count(*) AS tables FROM information_schema.tables"
            " GROUP BY table_schema ORDER BY table_schema"
        ),
        key=["schema"],
        checks=[rows(min=1)],
    )
