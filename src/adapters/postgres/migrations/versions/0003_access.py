"""Tokens, sessions, and which process leads."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ACCESS = (
    """
    CREATE TABLE public.token (
        id uuid PRIMARY KEY,
        tenant text NOT NULL DEFAULT 'default',
        name text NOT NULL,
        role text NOT NULL,
        scopes text[] NOT NULL,
        digest bytea NOT NULL UNIQUE CONSTRAINT token_digest_is_one CHECK (octet_length(digest) = 32),
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX token_newest ON public.token (tenant, created_at DESC, id DESC)",
    # A link becomes a session by taking another digest, so that it works once.
    """
    CREATE TABLE public.web_session (
        id uuid PRIMARY KEY,
        tenant text NOT NULL DEFAULT 'default',
        actor text NOT NULL,
        role text NOT NULL,
        digest bytea NOT NULL UNIQUE CONSTRAINT web_session_digest_is_one CHECK (octet_length(digest) = 32),
        signed_in boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX web_session_over ON public.web_session (expires_at)",
    # No tenant's: the process that leads looks after the runs of all.
    """
    CREATE TABLE public.leader (
        name text PRIMARY KEY,
        holder uuid NOT NULL,
        lease_until timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Make the three tables."""
    for statement in ACCESS:
        op.execute(statement)
