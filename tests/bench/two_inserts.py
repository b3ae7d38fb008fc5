"""The least that records a run: a connection, a row when it begins, a row when it has ended."""

from __future__ import annotations

import os

import psycopg

with psycopg.connect(os.environ["RUNLOG_DB_URL"]) as connection:
    connection.execute("INSERT INTO bench (kind) VALUES ('begun')")
    connection.commit()
    connection.execute("INSERT INTO bench (kind) VALUES ('ended')")
