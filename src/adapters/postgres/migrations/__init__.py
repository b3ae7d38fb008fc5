"""RunLog's schema, step by step: Alembic's environment and its versions."""
