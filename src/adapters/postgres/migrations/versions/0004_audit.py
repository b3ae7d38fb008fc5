"""The chain of events, what became of each message that was due, and figures that are kept as runs end."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# An event is written once, and its seal is filled in once, a second later. A digest is 32 bytes of SHA-256.
EVENT = """
ALTER TABLE public.event
    ADD COLUMN method text,
    ADD COLUMN reason text,
    ADD COLUMN before jsonb,
    ADD COLUMN after jsonb,
    ADD COLUMN position bigint,
    ADD COLUMN digest bytea,
    ADD CONSTRAINT event_dated CHECK (at > '0001-01-02 00:00:00Z' AND at < '9999-12-30 00:00:00Z'),
    ADD CONSTRAINT event_seal CHECK (
        (position IS NULL) = (digest IS NULL) AND position >= 1 AND octet_length(digest) = 32);
CREATE UNIQUE INDEX event_chain ON public.event (tenant, position) WHERE position IS NOT NULL;
CREATE INDEX event_unsealed ON public.event (tenant, seq) WHERE position IS NULL;

CREATE OR REPLACE FUNCTION public.event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unsealed public.event;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND NEW.position IS NOT NULL THEN
        unsealed := NEW;
        unsealed.position := NULL;
        unsealed.digest := NULL;
        IF unsealed *= OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = 'events are neither changed nor removed (event ' || OLD.seq || ')';
END $$;
CREATE FUNCTION public.events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'events are neither changed nor removed';
END $$;
CREATE TRIGGER events_stay BEFORE TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.events_stay();

CREATE TABLE public.event_anchor (
    tenant text NOT NULL DEFAULT 'default',
    position bigint NOT NULL,
    digest bytea NOT NULL,
    sent_to text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, sent_at, sent_to)
);
"""

DELIVERY = """
ALTER TABLE public.outbox
    ADD COLUMN since timestamptz,
    ADD COLUMN failures integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT outbox_status_known CHECK (status IN ('due', 'planned', 'expired'));
CREATE TABLE public.delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL DEFAULT 'default',
    notice_id bigint NOT NULL REFERENCES public.outbox,
    channel text NOT NULL,
    address text NOT NULL,
    pipeline text NOT NULL,
    status text NOT NULL DEFAULT 'due' CONSTRAINT delivery_status_known CHECK (status IN ('due', 'sent', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    error text,
    CONSTRAINT delivery_once UNIQUE (notice_id, channel, address),
    CONSTRAINT delivery_settled CHECK ((settled_at IS NULL) = (status = 'due'))
);
CREATE INDEX delivery_due ON public.delivery (tenant, next_at) WHERE status = 'due';
CREATE INDEX delivery_in_order ON public.delivery (tenant, channel, address, pipeline, notice_id) WHERE status = 'due';
CREATE INDEX delivery_dead ON public.delivery (tenant, id) WHERE status = 'dead';
"""

# Counts are kept as runs end, so that nobody ever has to count a million of them. Stripes: two runs that end at
# once would wait for each other's row.
FIGURES = """
CREATE TABLE public.run_figures (
    tenant text NOT NULL DEFAULT 'default',
    pipeline text NOT NULL,
    status text NOT NULL,
    cause text NOT NULL,
    stripe integer NOT NULL,
    runs bigint NOT NULL,
    seconds double precision NOT NULL,
    buckets bigint[] NOT NULL,
    PRIMARY KEY (tenant, pipeline, status, cause, stripe)
) WITH (fillfactor = 50);
CREATE TABLE public.pipeline_failing (
    tenant text NOT NULL DEFAULT 'default',
    pipeline text NOT NULL,
    since timestamptz NOT NULL,
    failures integer NOT NULL,
    PRIMARY KEY (tenant, pipeline)
) WITH (fillfactor = 50);
"""

# The bounds, and what a run counts for at most, are those of domain/figures.py.
# No percent sign in here: written as SQL for psql it would be doubled.
TRIGGERS = """
CREATE FUNCTION public.run_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bounds constant double precision[] := ARRAY[1, 5, 15, 60, 300, 900, 3600, 14400, 86400];
    told double precision := coalesce(NEW.duration, extract(epoch FROM NEW.finished_at - NEW.started_at));
    -- A sum that overflows would refuse the record of this run, and of every later one.
    took double precision := CASE WHEN told IS NOT NULL THEN least(greatest(told, 0), 1e9) END;
    hit bigint[] := (SELECT array_agg(CASE WHEN took <= bound THEN 1 ELSE 0 END ORDER BY bound)
                     FROM unnest(bounds || 'infinity'::double precision) AS bound);
BEGIN
    INSERT INTO public.run_figures AS kept (tenant, pipeline, status, cause, stripe, runs, seconds, buckets)
    VALUES (NEW.tenant, NEW.pipeline, NEW.status, coalesce(NEW.cause, ''), pg_backend_pid() & 7,
            1, coalesce(took, 0), hit)
    ON CONFLICT (tenant, pipeline, status, cause, stripe) DO UPDATE
    SET runs = kept.runs + 1, seconds = kept.seconds + excluded.seconds,
        buckets = (SELECT array_agg(a + b ORDER BY place)
                   FROM unnest(kept.buckets, excluded.buckets) WITH ORDINALITY AS pair (a, b, place));
    RETURN NULL;
END $$;
CREATE TRIGGER run_counted AFTER UPDATE OF status ON public.run FOR EACH ROW
    WHEN (OLD.status IN ('pending', 'running', 'uncertain', 'cancelling')
          AND NEW.status NOT IN ('pending', 'running', 'uncertain', 'cancelling'))
    EXECUTE FUNCTION public.run_counted();

CREATE FUNCTION public.notice_dated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.pipeline_failing AS kept (tenant, pipeline, since, failures)
    VALUES (NEW.tenant, NEW.pipeline, clock_timestamp(), 1)
    ON CONFLICT (tenant, pipeline) DO UPDATE SET failures = kept.failures + 1
    RETURNING since, failures INTO NEW.since, NEW.failures;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_dated BEFORE INSERT ON public.outbox FOR EACH ROW
    WHEN (NEW.kind IN ('run.failed', 'run.lost')) EXECUTE FUNCTION public.notice_dated();

CREATE FUNCTION public.run_recovered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH failing AS (
        DELETE FROM public.pipeline_failing WHERE tenant = NEW.tenant AND pipeline = NEW.pipeline
        RETURNING since, failures
    )
    INSERT INTO public.outbox (tenant, run_id, kind, pipeline, since, failures)
    SELECT NEW.tenant, NEW.id, 'run.recovered', NEW.pipeline, since, failures FROM failing;
    RETURN NULL;
END $$;
CREATE TRIGGER run_recovered AFTER UPDATE OF status ON public.run FOR EACH ROW
    WHEN (OLD.status <> 'succeeded' AND NEW.status = 'succeeded' AND NEW.mode = 'publish')
    EXECUTE FUNCTION public.run_recovered();
"""


def upgrade() -> None:
    """Make everything."""
    for script in (EVENT, DELIVERY, FIGURES, TRIGGERS):
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
