"""What a cluster says of runs, and runs that have to wait for others of their pipeline."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KNOWN = {
    "skip_reason": ("superseded", "paused", "concurrency"),
    "evidence": (
        "ledger",
        "exit",
        "termination_message",
        "pod_status",
        "process_gone",
        "deadline",
        "no_attempt",
        "unverified",
    ),
}


def upgrade() -> None:
    """Let the new words in. The old ones stay, so the checks hold for what is there and are not read through."""
    for column, words in KNOWN.items():
        name = f"run_{column}_known"
        op.execute(f"ALTER TABLE public.run DROP CONSTRAINT {name}")
        quoted = ", ".join(f"'{word}'" for word in words)
        op.execute(f"ALTER TABLE public.run ADD CONSTRAINT {name} CHECK ({column} IN ({quoted})) NOT VALID")
