"""The report database in PostgreSQL: fences, staged versions, the ledger, and the pointer that readers follow.

May import: the application's ports, the domain, asyncpg; psycopg in ``staging`` and what it fills with, polars in the
modules of frames only (the worker's side), SQLAlchemy and Alembic in ``migrate`` only. ``fences`` and ``publisher`` run
in the supervisor, which stays small. Must never: change a ledger row, or take a lock that a reader would wait for.
"""
