"""The same by dlt, with the backend that its documentation calls the fastest. Run by the peers' venv."""

from __future__ import annotations

import sys

import dlt
from dlt.destinations import postgres
from dlt.sources.sql_database import sql_table

source, target, folder = sys.argv[1:4]
rows = sql_table(
    credentials=source.replace("postgresql:", "postgresql+psycopg2:"),
    table="lineitem",
    backend="pyarrow",
    chunk_size=100_000,
)
pipeline = dlt.pipeline(
    "bench", pipelines_dir=folder, destination=postgres(credentials=target), dataset_name="dlt_report"
)
pipeline.run(rows, write_disposition="replace").raise_on_failed_jobs()
