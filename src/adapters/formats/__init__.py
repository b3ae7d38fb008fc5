"""Rows of reports as files. Nothing here talks to anybody.

May import: the application's ports, the domain; polars in ``arrow_frame``, ``arrow_rows`` and ``parquet_rows`` only.
Must never: hold a whole report, or lose a digit.
"""
