"""The scenarios of ``features/`` in several worlds: all in memory, and real PostgreSQL with real processes."""
