"""Events of reports are found by their report."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute("CREATE INDEX event_of_no_run ON public.event (tenant, subject, seq) WHERE run_id IS NULL")
