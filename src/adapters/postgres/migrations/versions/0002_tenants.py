"""Runs, events and messages belong to a tenant."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANTS = (
    "ALTER TABLE public.run ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
    "ALTER TABLE public.event ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
    "ALTER TABLE public.outbox ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
    "DROP INDEX public.run_newest",
    "DROP INDEX public.run_newest_of_pipeline",
    "CREATE INDEX run_newest ON public.run (tenant, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_pipeline ON public.run (tenant, pipeline, created_at DESC, id DESC)",
)


def upgrade() -> None:
    """Give what is there to the tenant ``default``."""
    for statement in TENANTS:
        op.execute(statement)
