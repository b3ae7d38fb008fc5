"""What people ask of runs: tenants, keys of requests, launches, rehearsals, cancels, pauses, the history."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Every column has a default or may be null: a supervisor of the release before goes on writing what it knows.
TENANTS = (
    "ALTER TABLE public.run ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
    "ALTER TABLE public.event ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
    "ALTER TABLE public.outbox ADD COLUMN tenant text NOT NULL DEFAULT 'default'",
)

RUNS = (
    "ALTER TABLE public.run ADD COLUMN mode text NOT NULL DEFAULT 'publish' "
    "CONSTRAINT run_mode_known CHECK (mode IN ('publish', 'rehearse'))",
    "ALTER TABLE public.run ADD COLUMN launch text CONSTRAINT run_launch_known CHECK (launch IN ('due', 'started'))",
    "ALTER TABLE public.run ADD COLUMN cancel_asked_at timestamptz",
    "ALTER TABLE public.run DROP CONSTRAINT run_skip_reason_known",
    "ALTER TABLE public.run ADD CONSTRAINT run_skip_reason_known CHECK (skip_reason IN ('superseded', 'paused'))",
    "ALTER TABLE public.run DROP CONSTRAINT run_evidence_known",
    "ALTER TABLE public.run ADD CONSTRAINT run_evidence_known CHECK (evidence IN ("
    "'ledger', 'exit', 'termination_message', 'process_gone', 'deadline', 'no_attempt', 'unverified'))",
)

REQUESTS = (
    """
    CREATE TABLE public.request_key (
        tenant text NOT NULL,
        key text NOT NULL,
        digest text NOT NULL,
        run_id uuid NOT NULL REFERENCES public.run DEFERRABLE INITIALLY DEFERRED,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, key)
    )
    """,
    "CREATE INDEX request_key_oldest ON public.request_key (created_at)",
    """
    CREATE TABLE public.pipeline_pause (
        tenant text NOT NULL,
        pipeline text NOT NULL,
        actor text NOT NULL,
        reason text,
        since timestamptz NOT NULL,
        until timestamptz,
        PRIMARY KEY (tenant, pipeline),
        CONSTRAINT pipeline_pause_timeline CHECK (until > since)
    )
    """,
)

# One for each way to narrow the history, in the order of its pages: then no look at it sorts more than a page.
INDEXES = (
    "DROP INDEX public.run_newest",
    "DROP INDEX public.run_newest_of_pipeline",
    "CREATE INDEX run_newest ON public.run (tenant, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_pipeline ON public.run (tenant, pipeline, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_status ON public.run (tenant, status, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_both ON public.run (tenant, pipeline, status, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_trigger ON public.run (tenant, trigger, created_at DESC, id DESC)",
    "CREATE INDEX run_newest_of_actor ON public.run (tenant, actor, created_at DESC, id DESC)",
    "CREATE INDEX run_retries ON public.run (retry_of) WHERE retry_of IS NOT NULL",
    "CREATE INDEX run_parameters ON public.run USING gin (parameters jsonb_path_ops)",
)

# Who follows a run is told to look again. Not of new runs, which nobody follows yet: a notice makes commits take turns.
NOTICES = (
    """
    CREATE FUNCTION public.tell_of_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('kubescribe_run', NEW.tenant || '/' || NEW.run_id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER tell_of_event AFTER INSERT ON public.event FOR EACH ROW
        WHEN (NEW.run_id IS NOT NULL AND NEW.kind <> 'run.created') EXECUTE FUNCTION public.tell_of_event()
    """,
    """
    CREATE FUNCTION public.tell_of_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('kubescribe_run', run.tenant || '/' || run.id)
            FROM public.run JOIN public.attempt ON attempt.run_id = run.id WHERE attempt.id = NEW.attempt_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER tell_of_note AFTER INSERT ON public.note FOR EACH ROW
        EXECUTE FUNCTION public.tell_of_attempt()
    """,
    """
    CREATE TRIGGER tell_of_log_chunk AFTER INSERT ON public.log_chunk FOR EACH ROW
        EXECUTE FUNCTION public.tell_of_attempt()
    """,
)


def upgrade() -> None:
    """Give what is there to the tenant ``default``, and make the rest."""
    for statement in (*TENANTS, *RUNS, *REQUESTS, *INDEXES, *NOTICES):
        op.execute(statement)
