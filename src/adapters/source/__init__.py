"""The production database: PostgreSQL through psycopg, read in one snapshot and never written.

Lives here: sessions and the snapshot that they share, binds, the exact mapping of result types to polars, and
the translation of the driver's errors. psycopg and polars are imported with the first read, not before. Must
never: write, or let a password or a bind's value into a message.
"""
