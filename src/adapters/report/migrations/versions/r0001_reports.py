"""Fences, reports, staged versions, the pointer and the ledger."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SEQUENCE kubescribe.fence_number",
    "CREATE SEQUENCE kubescribe.version_number",
    """
    CREATE TABLE kubescribe.fence (
      run_id     uuid    NOT NULL,
      part       integer NOT NULL DEFAULT 0,
      fence      bigint  NOT NULL,
      attempt_id uuid,
      closed_as  text,
      PRIMARY KEY (run_id, part)
    )
    """,
    """
    CREATE TABLE kubescribe.report (
      name        text        PRIMARY KEY,
      schema_name text        NOT NULL,
      columns     jsonb       NOT NULL,
      key         jsonb       NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TABLE kubescribe.staged (
      version      bigint      PRIMARY KEY,
      report       text        NOT NULL,
      run_id       uuid        NOT NULL,
      attempt_id   uuid        NOT NULL,
      schema_name  text        NOT NULL,
      table_name   text        NOT NULL,
      rows         bigint      NOT NULL,
      bytes        bigint      NOT NULL,
      checksum     text        NOT NULL,
      columns      jsonb       NOT NULL,
      spec         jsonb       NOT NULL,
      seconds      double precision NOT NULL,
      staged_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      condemned_at timestamptz
    )
    """,
    "CREATE INDEX staged_run ON kubescribe.staged (run_id, attempt_id)",
    "CREATE INDEX staged_report ON kubescribe.staged (report)",
    """
    CREATE TABLE kubescribe.current (
      report  text   PRIMARY KEY REFERENCES kubescribe.report,
      version bigint NOT NULL,
      slot    timestamptz
    )
    """,
    """
    CREATE TABLE kubescribe.publication (
      id           bigserial   PRIMARY KEY,
      report       text        NOT NULL REFERENCES kubescribe.report,
      run_id       uuid        NOT NULL,
      version      bigint      NOT NULL,
      kind         text        NOT NULL CHECK (kind IN ('publish', 'rollback')),
      attempt_id   uuid,
      fence        bigint,
      rows         bigint      NOT NULL,
      checksum     text        NOT NULL,
      fingerprint  text        NOT NULL,
      slot         timestamptz,
      actor        text        NOT NULL,
      reason       text,
      published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      xact         xid8        NOT NULL DEFAULT pg_current_xact_id(),
      UNIQUE (report, run_id)
    )
    """,
    "CREATE INDEX publication_run ON kubescribe.publication (run_id)",
    "CREATE INDEX publication_report ON kubescribe.publication (report, id)",
    """
    CREATE FUNCTION kubescribe.refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
        MESSAGE = 'the ledger of publications is never changed: ' || TG_OP || ' is refused';
    END $$
    """,
    """
    CREATE TRIGGER ledger_rows_stay BEFORE UPDATE OR DELETE ON kubescribe.publication
      FOR EACH ROW EXECUTE FUNCTION kubescribe.refuse_ledger_change()
    """,
    """
    CREATE TRIGGER ledger_stays BEFORE TRUNCATE ON kubescribe.publication
      FOR EACH STATEMENT EXECUTE FUNCTION kubescribe.refuse_ledger_change()
    """,
    "COMMENT ON TABLE kubescribe.publication IS 'the ledger: what became visible, by which run, at what time'",
    "COMMENT ON COLUMN kubescribe.publication.xact IS 'the publishing transaction: an older snapshot does not see it'",
    "COMMENT ON COLUMN kubescribe.staged.condemned_at IS 'set: not to be published or pointed at any more'",
)


def upgrade() -> None:
    """Make everything."""
    for statement in STATEMENTS:
        op.execute(statement)
