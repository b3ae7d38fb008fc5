"""The walk's pipelines. They travel to the cluster as a ConfigMap, so any image of KubeScribe will do."""

from __future__ import annotations

import time

from kubescribe import Context, pipeline, rows


@pipeline(schedule="0 0 29 2 *", run_deadline="5m", reports=("walk",), memory="512Mi", cpu="50m")
def walk(run: Context, at_least: int = 1) -> None:
    """How many tables each schema of the production database has."""
    query = (
        "SELECT table_schema::text AS schema, count(*) AS tables FROM information_schema.tables"
        " GROUP BY table_schema ORDER BY table_schema"
    )
    run.report("walk", run.read(query), key=["schema"], checks=[rows(min=at_least)])


@pipeline(run_deadline="5m", reports=(), memory="512Mi", cpu="50m")
def stumble(run: Context) -> None:
    """Fails."""
    raise ValueError("a stone is in the way")


@pipeline(run_deadline="15m", reports=(), retries=1, memory="512Mi", cpu="50m")
def rest(run: Context) -> None:
    """Is at work until somebody ends it."""
    while True:
        run.progress(0.5, "resting")
        time.sleep(1)


@pipeline(schedule="* * * * *", run_deadline="5m", reports=(), memory="512Mi", cpu="50m")
def step(run: Context) -> None:
    """Takes one step every minute."""
    run.metric("steps", 1)
