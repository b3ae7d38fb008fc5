"""The same by dlt, with its Arrow backend. Run by the peers' venv."""

from __future__ import annotations

import sys

import dlt  # pyright: ignore[reportMissingImports] # it is in the venv of the peers
from dlt.destinations import postgres  # pyright: ignore[reportMissingImports] # it is in the venv of the peers
from dlt.sources.sql_database import sql_table  # pyright: ignore[reportMissingImports] # it is in the venv of the peers

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
