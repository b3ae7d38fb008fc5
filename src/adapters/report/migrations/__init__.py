"""Alembic: the tables of schema ``kubescribe`` in the report database."""
