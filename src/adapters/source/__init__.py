"""The production database: PostgreSQL, read in one snapshot and never written.

Lives here: sessions and the snapshot that they share, binds, the exact mapping of result types to polars, and
the translation of the drivers' errors. psycopg and polars are imported with the first read, not before; asyncpg, in
``copy_stream`` only, with the first scan or copy. Must never: write, or let a password or a bind's value into a
message.
"""
