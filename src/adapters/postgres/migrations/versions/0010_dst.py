"""A run may be skipped because its slot came twice."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WORDS = ("superseded", "paused", "concurrency", "dst")


def upgrade() -> None:
    """Let the new word in. The old ones stay, so the check holds for what is there and is not read through."""
    quoted = ", ".join(f"'{word}'" for word in WORDS)
    op.execute("ALTER TABLE public.run DROP CONSTRAINT run_skip_reason_known")
    op.execute(
        f"ALTER TABLE public.run ADD CONSTRAINT run_skip_reason_known CHECK (skip_reason IN ({quoted})) NOT VALID"
    )
