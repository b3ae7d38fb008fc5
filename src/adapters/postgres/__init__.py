"""RunLog in PostgreSQL: the supervisor's side with asyncpg alone, everybody else's through SQLAlchemy Core.

May import: the application's ports, the domain, asyncpg; SQLAlchemy only in ``tables``, ``engine``, ``run_log``
and ``run_history``; Alembic only inside the functions of ``migrate``. Must never: import another adapter, or keep
state in a session (a transaction-mode pooler may lie between).
"""
