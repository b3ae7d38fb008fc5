"""A table from one database to another as most scripts do it: read_sql and to_sql in chunks. Run by the peers' venv."""

from __future__ import annotations

import sys

import pandas as pd
from sqlalchemy import create_engine

source, target = (url.replace("postgresql://", "postgresql+psycopg2://") for url in sys.argv[1:3])
rows = create_engine(source).connect().execution_options(stream_results=True)
how = "replace"
for chunk in pd.read_sql("SELECT * FROM lineitem", rows, chunksize=100_000):
    chunk.to_sql("lineitem_pandas", create_engine(target), if_exists=how, index=False)
    how = "append"
