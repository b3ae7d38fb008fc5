"""Publication modes that change rows in place, generations of a report, and the figures for ``kubescribe verify``.

Only columns are added, each with a default, and one function: the release before works on.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Readers hold `current` for as long as their transactions: rather fail here, and be run again, than keep new
    # readers waiting behind us.
    "SET LOCAL lock_timeout = '2s'",
    """
    ALTER TABLE kubescribe.report
      ADD COLUMN mode       text    NOT NULL DEFAULT 'replace',
      ADD COLUMN generation integer NOT NULL DEFAULT 1
    """,
    "ALTER TABLE kubescribe.staged ADD COLUMN content text",
    """
    ALTER TABLE kubescribe.publication
      ADD COLUMN mode       text    NOT NULL DEFAULT 'replace',
      ADD COLUMN generation integer NOT NULL DEFAULT 1,
      ADD COLUMN inserted   bigint,
      ADD COLUMN updated    bigint,
      ADD COLUMN deleted    bigint,
      ADD COLUMN total      bigint,
      ADD COLUMN content    text
    """,
    """
    CREATE FUNCTION kubescribe.refuse_older_snapshot(report text) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
        MESSAGE = format('report %s was made anew while this transaction was open', report),
        HINT = 'Begin a new transaction.';
    END $$
    """,
    "GRANT EXECUTE ON FUNCTION kubescribe.refuse_older_snapshot TO PUBLIC",
    "ALTER TABLE kubescribe.current ADD COLUMN generation integer NOT NULL DEFAULT 1",
    "COMMENT ON COLUMN kubescribe.report.generation IS 'of its tables: one more each time it is made anew'",
    "COMMENT ON COLUMN kubescribe.publication.total IS 'rows of the report afterwards; null: see rows'",
    "COMMENT ON COLUMN kubescribe.publication.content IS 'where rows change in place: the sum of all rows'' hashes'",
)


def upgrade() -> None:
    """Add everything."""
    for statement in STATEMENTS:
        op.execute(statement)
