"""RunLog: runs, their attempts, what they told and printed, events, and what is due to be told."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The lists are those of the domain when this was written; a later migration widens them before newer code runs.
RUN = """
CREATE TABLE public.run (
    id uuid PRIMARY KEY,
    pipeline text NOT NULL,
    status text NOT NULL CONSTRAINT run_status_known CHECK (status IN (
        'pending', 'running', 'uncertain', 'cancelling', 'succeeded', 'failed', 'lost', 'cancelled', 'skipped')),
    trigger text NOT NULL CONSTRAINT run_trigger_known CHECK (trigger IN (
        'manual', 'schedule', 'api', 'retry', 'chain')),
    actor text NOT NULL,
    reason text,
    parameters jsonb NOT NULL,
    slot timestamptz,
    retry_of uuid,
    code_version text,
    may_publish boolean NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    duration double precision,
    start_deadline_at timestamptz,
    run_deadline_at timestamptz,
    attempt_id uuid,
    attempts integer NOT NULL,
    cause text CONSTRAINT run_cause_known CHECK (cause IN (
        'error', 'exit_code', 'signal', 'oom_killed', 'evicted', 'preempted', 'node_lost', 'image_pull',
        'unschedulable', 'quota_exceeded', 'config_error', 'start_deadline', 'run_deadline', 'precondition',
        'fenced', 'unavailable', 'lease_expired', 'unknown')),
    skip_reason text CONSTRAINT run_skip_reason_known CHECK (skip_reason IN ('superseded')),
    message text,
    evidence text CONSTRAINT run_evidence_known CHECK (evidence IN (
        'ledger', 'exit', 'termination_message', 'process_gone', 'deadline')),
    CONSTRAINT run_timeline CHECK (started_at >= created_at AND finished_at >= coalesce(started_at, created_at)),
    CONSTRAINT run_ended CHECK ((finished_at IS NOT NULL) = (status NOT IN (
        'pending', 'running', 'uncertain', 'cancelling')))
);
CREATE INDEX run_newest ON public.run (created_at DESC, id DESC);
CREATE INDEX run_newest_of_pipeline ON public.run (pipeline, created_at DESC, id DESC);
CREATE INDEX run_open ON public.run (created_at, id)
    WHERE status IN ('pending', 'running', 'uncertain', 'cancelling');
-- For people who copy the end of an id, which tells UUIDv7s of one minute apart better than its beginning does.
CREATE INDEX run_id_from_behind ON public.run (reverse(id::text) COLLATE "C");
"""

# A beat updates one row every ten seconds: no index holds a column that it touches, and every page keeps room,
# so that the new row version stays on its page and no index is written (a HOT update).
ATTEMPT = """
CREATE TABLE public.attempt (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES public.run,
    number integer NOT NULL,
    fence bigint,
    whereabouts jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    lease double precision NOT NULL,
    lease_until timestamptz NOT NULL,
    ended_at timestamptz,
    progress double precision,
    progress_text text,
    memory bigint,
    cpu_seconds double precision,
    certificate jsonb,
    CONSTRAINT attempt_number_once UNIQUE (run_id, number),
    CONSTRAINT attempt_timeline CHECK (ended_at >= started_at)
) WITH (fillfactor = 70);
"""

EVENT = """
CREATE TABLE public.event (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    run_id uuid,
    data jsonb NOT NULL
);
CREATE INDEX event_of_run ON public.event (run_id, seq) WHERE run_id IS NOT NULL;
"""

DETAILS = """
CREATE TABLE public.note (
    attempt_id uuid NOT NULL REFERENCES public.attempt,
    seq bigint NOT NULL,
    kind text NOT NULL CONSTRAINT note_kind_known CHECK (kind IN ('input', 'output', 'metric', 'progress', 'note')),
    data jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (attempt_id, seq)
);
CREATE TABLE public.log_chunk (
    attempt_id uuid NOT NULL REFERENCES public.attempt,
    seq bigint NOT NULL,
    data bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (attempt_id, seq)
);
ALTER TABLE public.log_chunk ALTER COLUMN data SET STORAGE EXTERNAL; -- it is compressed already
"""

OUTBOX = """
CREATE TABLE public.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    kind text NOT NULL,
    pipeline text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status text NOT NULL DEFAULT 'due'
);
CREATE INDEX outbox_due ON public.outbox (id) WHERE status = 'due';
"""

# No percent sign in here: written as SQL for psql it would be doubled.
TRIGGERS = """
CREATE FUNCTION public.run_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = 'run ' || OLD.id || ' is ' || OLD.status || ' and never changes again';
END $$;
CREATE TRIGGER run_is_final BEFORE UPDATE ON public.run FOR EACH ROW
    WHEN (OLD.status NOT IN ('pending', 'running', 'uncertain', 'cancelling'))
    EXECUTE FUNCTION public.run_is_final();

CREATE FUNCTION public.event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = 'events are neither changed nor removed (event ' || OLD.seq || ')';
END $$;
CREATE TRIGGER event_is_final BEFORE UPDATE OR DELETE ON public.event FOR EACH ROW
    EXECUTE FUNCTION public.event_is_final();
"""


def upgrade() -> None:
    """Make everything."""
    for script in (RUN, ATTEMPT, EVENT, DETAILS, OUTBOX, TRIGGERS):
        for statement in _statements(script):
            op.execute(statement)


def _statements(script: str) -> list[str]:
    # asyncpg takes one statement at a time; a function's body has semicolons of its own.
    statements, body = [""], False
    for line in script.strip().splitlines():
        body ^= line.count("$$") % 2 == 1
        statements[-1] += line + "\n"
        if not body and line.split(" --")[0].rstrip().endswith(";"):
            statements.append("")
    return [statement.strip().rstrip(";") for statement in statements if statement.strip()]
