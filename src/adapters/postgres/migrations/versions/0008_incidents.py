"""Incidents, which take the place of ``pipeline_failing``; what pipelines declare of them; promises of time."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# One row changes with each verdict of its pipeline: room on the page for its new versions.
TABLES = """
CREATE TABLE public.incident (
    tenant text NOT NULL,
    id bigint NOT NULL,
    pipeline text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL CONSTRAINT incident_status_known CHECK (status IN ('pending', 'open', 'recovered')),
    count integer NOT NULL,
    bad integer NOT NULL,
    good integer NOT NULL,
    since timestamptz,
    last_at timestamptz,
    bad_since timestamptz,
    run_id uuid,
    why text,
    opened_at timestamptz,
    reopened integer NOT NULL,
    recovered_at timestamptz,
    recovered_by uuid,
    announced boolean NOT NULL,
    quiet_until timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    snoozed_until timestamptz,
    assigned_to text,
    PRIMARY KEY (tenant, id),
    CONSTRAINT incident_opened CHECK ((opened_at IS NULL) = (status = 'pending')),
    CONSTRAINT incident_announced CHECK (status = 'open' OR NOT announced)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX incident_newest ON public.incident (tenant, pipeline, kind, id DESC);
CREATE UNIQUE INDEX incident_one_open ON public.incident (tenant, pipeline, kind) WHERE status = 'open';
CREATE INDEX incident_open ON public.incident (tenant, id) WHERE status = 'open';
CREATE INDEX incident_untold ON public.incident (quiet_until) WHERE status = 'open' AND NOT announced;
CREATE INDEX incident_bad ON public.incident (tenant, kind, pipeline, id) WHERE bad > 0;

CREATE TABLE public.incident_number (
    tenant text PRIMARY KEY,
    last bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE public.incident_terms (
    tenant text NOT NULL,
    pipeline text NOT NULL,
    incident_after integer NOT NULL CHECK (incident_after >= 1),
    recover_after integer NOT NULL CHECK (recover_after >= 1),
    PRIMARY KEY (tenant, pipeline)
);
"""

PROMISES = """
CREATE TABLE public.promise (
    tenant text NOT NULL,
    pipeline text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    due_at timestamptz,
    run_id uuid,
    kept boolean,
    judged_at timestamptz,
    why text,
    PRIMARY KEY (tenant, pipeline, kind, subject),
    CONSTRAINT promise_judged CHECK ((judged_at IS NULL) = (kept IS NULL))
);
CREATE INDEX promise_open ON public.promise (tenant, pipeline, due_at) WHERE kept IS NULL;
CREATE INDEX promise_oldest ON public.promise (judged_at) WHERE kept IS NOT NULL;
CREATE TABLE public.promise_held (
    tenant text NOT NULL,
    pipeline text NOT NULL,
    kind text NOT NULL,
    since timestamptz NOT NULL,
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, pipeline, kind)
) WITH (fillfactor = 50);
CREATE TABLE public.promise_count (
    tenant text NOT NULL,
    pipeline text NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    kept bigint NOT NULL,
    promised bigint NOT NULL,
    PRIMARY KEY (tenant, pipeline, day, kind)
) WITH (fillfactor = 50);
"""

OUTBOX = """
ALTER TABLE public.outbox
    ALTER COLUMN run_id DROP NOT NULL,
    ADD COLUMN incident_id bigint,
    ADD CONSTRAINT outbox_is_about_something CHECK (run_id IS NOT NULL OR incident_id IS NOT NULL);
DROP TRIGGER notice_dated ON public.outbox;
DROP FUNCTION public.notice_dated();
DROP TRIGGER run_recovered ON public.run;
DROP FUNCTION public.run_recovered();
"""

# The steps of domain/incident.py, for every writer of a verdict: also for a supervisor of the release before, and in
# no message more. A contract test and a model hold the two together.
# No percent sign in here: written as SQL for psql it would be doubled.
STEPS = """
CREATE FUNCTION public.incident_tell(it public.incident, what text, about uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.outbox (tenant, run_id, kind, pipeline, since, failures, incident_id)
    VALUES (it.tenant, about, what, it.pipeline, it.since, it.count, it.id);
$$;

CREATE FUNCTION public.incident_event(it public.incident, what text, was text, moment timestamptz, data jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.event (at, subject, kind, actor, tenant, data, before, after)
    VALUES (moment, 'incident:' || it.id, what, 'runlog', it.tenant,
            jsonb_build_object('pipeline', it.pipeline, 'kind', it.kind, 'count', it.count) || data,
            jsonb_build_object('status', was), jsonb_build_object('status', it.status));
$$;

CREATE FUNCTION public.incident_keep(it public.incident) RETURNS void LANGUAGE sql AS $$
    UPDATE public.incident
    SET status = it.status, count = it.count, bad = it.bad, good = it.good, since = it.since, last_at = it.last_at,
        bad_since = it.bad_since, run_id = it.run_id, why = it.why, opened_at = it.opened_at,
        reopened = it.reopened, recovered_at = it.recovered_at, recovered_by = it.recovered_by,
        announced = it.announced, quiet_until = it.quiet_until, acknowledged_at = it.acknowledged_at,
        acknowledged_by = it.acknowledged_by, snoozed_until = it.snoozed_until
    WHERE tenant = it.tenant AND id = it.id;
$$;

CREATE FUNCTION public.incident_told_late(it public.incident) RETURNS public.incident LANGUAGE plpgsql AS $$
BEGIN
    it.announced := true;
    it.acknowledged_at := NULL;
    it.acknowledged_by := NULL;
    it.snoozed_until := NULL;
    PERFORM public.incident_tell(it, 'incident.opened', it.run_id);
    RETURN it;
END $$;

CREATE FUNCTION public.incidents_told_late() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    it public.incident;
    told integer := 0;
BEGIN
    FOR it IN SELECT * FROM public.incident
              WHERE status = 'open' AND NOT announced AND coalesce(clock_timestamp() >= quiet_until, true)
              ORDER BY tenant, id FOR UPDATE SKIP LOCKED LOOP
        PERFORM public.incident_keep(public.incident_told_late(it));
        told := told + 1;
    END LOOP;
    RETURN told;
END $$;

CREATE FUNCTION public.incident_troubled(
    of_tenant text, of_pipeline text, of_kind text, about uuid, for_why text, needed integer
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    it public.incident;
    moment timestamptz;
    was text;
    fresh boolean := false;
    again boolean;
    streak integer;
    streak_since timestamptz;
BEGIN
    -- What is not there cannot be locked.
    PERFORM pg_advisory_xact_lock(
        hashtextextended('kubescribe.incident:' || of_tenant || '/' || of_pipeline || '/' || of_kind, 0));
    SELECT * INTO it FROM public.incident
    WHERE tenant = of_tenant AND pipeline = of_pipeline AND kind = of_kind ORDER BY id DESC LIMIT 1 FOR UPDATE;
    moment := clock_timestamp(); -- read when the lock is held: times are in order
    streak := coalesce(it.bad, 0) + 1;
    streak_since := CASE WHEN it.bad > 0 THEN it.bad_since ELSE moment END;
    IF it.id IS NULL OR (it.status = 'recovered' AND coalesce(moment >= it.quiet_until, true)) THEN
        fresh := true;
        it := NULL;
        INSERT INTO public.incident_number AS held (tenant, last) VALUES (of_tenant, 1)
        ON CONFLICT (tenant) DO UPDATE SET last = held.last + 1 RETURNING last INTO it.id;
        it.tenant := of_tenant;
        it.pipeline := of_pipeline;
        it.kind := of_kind;
        it.status := 'pending';
        it.count := 0;
        it.reopened := 0;
        it.announced := false;
    END IF;
    was := it.status;
    it.bad := streak;
    it.bad_since := streak_since;
    it.good := 0;
    it.last_at := moment;
    it.run_id := about;
    it.why := left(for_why, 500);
    IF was = 'open' THEN
        it.count := it.count + 1;
        IF it.announced THEN
            PERFORM public.incident_tell(it, 'incident.grew', about);
        ELSIF coalesce(moment >= it.quiet_until, true) THEN
            it := public.incident_told_late(it);
        END IF;
    ELSIF streak < needed THEN
        IF was = 'pending' THEN
            it.count := streak;
            it.since := streak_since;
        END IF;
    ELSE
        again := was = 'recovered';
        it.status := 'open';
        it.count := CASE WHEN again THEN it.count + streak ELSE streak END;
        it.since := CASE WHEN again THEN it.since ELSE streak_since END;
        it.opened_at := moment;
        it.reopened := it.reopened + again::integer;
        it.announced := coalesce(moment >= it.quiet_until, true);
    END IF;
    IF fresh THEN
        INSERT INTO public.incident SELECT it.*;
    ELSE
        PERFORM public.incident_keep(it);
    END IF;
    IF it.status = 'open' AND was <> 'open' THEN
        PERFORM public.incident_event(it, CASE WHEN again THEN 'incident.reopened' ELSE 'incident.opened' END, was,
                                      moment, jsonb_build_object('run', about, 'why', it.why));
        IF it.announced THEN
            PERFORM public.incident_tell(it, 'incident.opened', about);
        END IF;
    END IF;
    RETURN it.id;
END $$;

CREATE FUNCTION public.incident_mended(
    of_tenant text, of_pipeline text, of_kind text, about uuid, needed integer
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    it public.incident;
    moment timestamptz;
    told boolean;
BEGIN
    SELECT * INTO it FROM public.incident
    WHERE tenant = of_tenant AND pipeline = of_pipeline AND kind = of_kind ORDER BY id DESC LIMIT 1 FOR UPDATE;
    IF it.id IS NULL OR (it.status <> 'open' AND it.bad = 0) THEN
        RETURN;
    END IF;
    moment := clock_timestamp();
    told := it.announced;
    it.bad := 0;
    it.bad_since := NULL;
    IF it.status = 'pending' THEN
        it.count := 0;
        it.since := NULL;
    ELSIF it.status = 'open' THEN
        it.good := it.good + 1;
    END IF;
    IF it.status <> 'open' OR it.good < needed THEN
        PERFORM public.incident_keep(it);
        RETURN;
    END IF;
    it.status := 'recovered';
    it.good := 0;
    it.recovered_at := moment;
    it.recovered_by := about;
    it.announced := false;
    IF told THEN
        it.quiet_until := moment + interval '1 hour';
    END IF;
    PERFORM public.incident_keep(it);
    PERFORM public.incident_event(it, 'incident.recovered', 'open', moment, jsonb_build_object('run', about));
    IF told THEN
        PERFORM public.incident_tell(it, 'incident.recovered', about);
    END IF;
END $$;
"""

SLOTS = """
CREATE FUNCTION public.slots_told(most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    late public.slot;
    it public.incident;
    told integer := 0;
BEGIN
    FOR late IN SELECT * FROM public.slot AS one WHERE one.verdict = 'missed' AND NOT one.told
                ORDER BY one.tenant, one.at, one.id LIMIT most FOR UPDATE SKIP LOCKED LOOP
        UPDATE public.slot SET told = true WHERE id = late.id;
        PERFORM public.incident_troubled(
            late.tenant, late.pipeline, 'missed', late.run_id,
            'slot ' || to_char(late.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC was missed: ' || late.reason
                || coalesce('; ' || late.detail, ''), 1);
        told := told + 1;
    END LOOP;
    FOR it IN SELECT * FROM public.incident AS one WHERE one.status = 'open' AND one.kind = 'missed'
              ORDER BY one.tenant, one.id LOOP
        SELECT * INTO late FROM public.slot AS one
        WHERE one.tenant = it.tenant AND one.pipeline = it.pipeline AND one.verdict IN ('ran', 'late', 'missed')
        ORDER BY one.at DESC, one.id DESC LIMIT 1;
        IF late.verdict IN ('ran', 'late') THEN
            PERFORM public.incident_mended(it.tenant, it.pipeline, 'missed', late.run_id, 1);
        ELSIF NOT EXISTS (SELECT FROM public.slot_plan AS plan
                          WHERE plan.tenant = it.tenant AND plan.pipeline = it.pipeline) THEN
            PERFORM public.incident_mended(it.tenant, it.pipeline, 'missed', NULL, 1);
        END IF;
    END LOOP;
    RETURN told;
END $$;
"""

VERDICTS = """
CREATE FUNCTION public.run_judged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms public.incident_terms;
BEGIN
    SELECT * INTO terms FROM public.incident_terms WHERE tenant = NEW.tenant AND pipeline = NEW.pipeline;
    IF NEW.status = 'succeeded' THEN
        PERFORM public.incident_mended(NEW.tenant, NEW.pipeline, 'failing', NEW.id, coalesce(terms.recover_after, 1));
    ELSE
        PERFORM public.incident_troubled(
            NEW.tenant, NEW.pipeline, 'failing', NEW.id, NEW.cause, coalesce(terms.incident_after, 1));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER run_judged AFTER UPDATE OF status ON public.run FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND NEW.status IN ('failed', 'lost', 'succeeded') AND NEW.mode = 'publish')
    EXECUTE FUNCTION public.run_judged();

CREATE FUNCTION public.notice_is_the_incidents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.incident WHERE tenant = NEW.tenant AND pipeline = NEW.pipeline
               AND kind = 'failing' AND run_id = NEW.run_id) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
-- A supervisor of the release before leaves a notice of its own behind the incident's.
CREATE TRIGGER notice_is_the_incidents BEFORE INSERT ON public.outbox FOR EACH ROW
    WHEN (NEW.kind IN ('run.failed', 'run.lost') AND NEW.incident_id IS NULL)
    EXECUTE FUNCTION public.notice_is_the_incidents();
"""

# Whoever fails now was told of it already.
KEEP = """
INSERT INTO public.incident (tenant, id, pipeline, kind, status, count, bad, good, since, last_at, bad_since, run_id,
                             why, opened_at, reopened, announced)
SELECT failing.tenant, row_number() OVER (PARTITION BY failing.tenant ORDER BY since, failing.pipeline),
       failing.pipeline, 'failing', 'open', failures, failures, 0, since, coalesce(newest.finished_at, since), since,
       newest.id, newest.cause, since, 0, true
FROM public.pipeline_failing AS failing
LEFT JOIN LATERAL (
    SELECT run.id, run.cause, run.finished_at FROM public.run
    WHERE run.tenant = failing.tenant AND run.pipeline = failing.pipeline AND run.status IN ('failed', 'lost')
    ORDER BY run.created_at DESC, run.id DESC LIMIT 1) AS newest ON true;
INSERT INTO public.incident_number (tenant, last) SELECT tenant, max(id) FROM public.incident GROUP BY tenant;
DROP TABLE public.pipeline_failing;
"""


def upgrade() -> None:
    """Make everything, and an open incident of each pipeline that fails."""
    for script in (TABLES, PROMISES, OUTBOX, STEPS, SLOTS, VERDICTS, KEEP):
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
