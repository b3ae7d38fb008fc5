"""Browsing: rollbacks are found at once. The role that browses is made and granted by ``migrate`` itself, at the end.

Only an index is added: the release before works on.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Publishers write here: rather fail, and be run again, than keep them waiting.
    "SET LOCAL lock_timeout = '2s'",
    "CREATE INDEX publication_rollback ON kubescribe.publication (published_at) WHERE kind = 'rollback'",
)


def upgrade() -> None:
    """Add it."""
    for statement in STATEMENTS:
        op.execute(statement)
