"""Notices to one address are put together, and somebody's rules may lead one to nobody."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE public.outbox DROP CONSTRAINT outbox_status_known",
    "ALTER TABLE public.outbox ADD CONSTRAINT outbox_status_known "
    "CHECK (status IN ('due', 'planned', 'silent', 'expired')) NOT VALID",
    "ALTER TABLE public.delivery ADD COLUMN lead bigint, ADD COLUMN down boolean NOT NULL DEFAULT false",
    # What was tried went out alone, and keeps its id.
    "UPDATE public.delivery SET lead = id WHERE attempts > 0",
    """
    CREATE TABLE public.mailbox (
        tenant text NOT NULL,
        channel text NOT NULL,
        address text NOT NULL,
        opens_at timestamptz NOT NULL DEFAULT '-infinity',
        quiet_at timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (tenant, channel, address)
    )
    """,
    """
    CREATE TABLE public.reminder (
        tenant text NOT NULL,
        incident_id bigint NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (tenant, incident_id)
    )
    """,
    "CREATE TABLE public.week_summary (tenant text NOT NULL, week text NOT NULL, PRIMARY KEY (tenant, week))",
    "ALTER TABLE public.outbox DROP CONSTRAINT outbox_is_about_something",
    "ALTER TABLE public.outbox ADD CONSTRAINT outbox_is_about_something "
    "CHECK (run_id IS NOT NULL OR incident_id IS NOT NULL OR kind = 'summary.weekly') NOT VALID",
    "INSERT INTO public.mailbox (tenant, channel, address) SELECT DISTINCT tenant, channel, address "
    "FROM public.delivery",
    "CREATE INDEX delivery_to_send ON public.delivery (tenant, channel, address, next_at) "
    "WHERE status = 'due' AND lead = id",
    "CREATE INDEX delivery_to_collect ON public.delivery (tenant, channel, address, notice_id) "
    "WHERE status = 'due' AND lead IS NULL",
    "CREATE INDEX delivery_of_message ON public.delivery (lead) WHERE lead IS NOT NULL",
)


def upgrade() -> None:
    """Make everything."""
    for statement in STATEMENTS:
        op.execute(statement.strip())
