"""The ledger's statements, for asyncpg."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ...application.ports.slots import SlotFilter

NOW = "SELECT clock_timestamp()"
PLANS = "SELECT tenant, pipeline, source, rule, planned_until FROM public.slot_plan"
KEEP_PLAN = """
INSERT INTO public.slot_plan AS kept (tenant, pipeline, source, rule, planned_until)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS new (t, p, s, r, u)
ORDER BY t, p
ON CONFLICT (tenant, pipeline) DO UPDATE
SET source = excluded.source, rule = excluded.rule, planned_until = excluded.planned_until
"""
DROP_AHEAD = """
DELETE FROM public.slot USING unnest($1::text[], $2::text[]) AS changed (t, p)
WHERE tenant = t AND pipeline = p AND at > now() AND verdict IS NULL
"""
DROP_PLAN = """
DELETE FROM public.slot_plan USING unnest($1::text[], $2::text[]) AS gone (t, p) WHERE tenant = t AND pipeline = p
"""
ADD = """
INSERT INTO public.slot (id, tenant, pipeline, logical, at, window_ends, oddity, expected)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                     $7::text[], $8::boolean[])
ON CONFLICT DO NOTHING
"""
SLOT = "slot.id, slot.tenant, slot.pipeline, logical, slot.at, window_ends, oddity, expected, verdict, late_by, "
SLOT += "slot.reason, detail, slot.run_id, decided_at, told"
RUN = "run.id AS run_id_, run.status AS run_status, run.created_at AS run_created_at, run.cause AS run_cause, "
RUN += "run.started_at AS run_started_at, run.skip_reason AS run_skip_reason, run.message AS run_message"
ITS_RUN = """
SELECT id, status, created_at, started_at, cause, skip_reason, message FROM public.run
WHERE run.tenant = {0}.tenant AND run.pipeline = {0}.pipeline AND run.slot = {0}.at AND run.mode = 'publish'
ORDER BY started_at IS NULL, started_at, created_at DESC, id LIMIT 1
"""
# A pause whose end came while nobody looked is resumed later than it ended.
RESUMED = """
SELECT event.data, event.before, event.at FROM public.event
WHERE event.tenant = slot.tenant AND event.subject = 'pipeline:' || slot.pipeline AND event.run_id IS NULL
  AND event.kind = 'pipeline.resumed' AND event.at >= slot.at AND run.id IS NULL AND pause.since IS NULL
  AND (event.data ->> 'paused_since')::timestamptz <= slot.at
  AND coalesce((event.before ->> 'until')::timestamptz > slot.at, true)
ORDER BY event.at LIMIT 1
"""
# The newest few that were made before: one that works through a window is among them.
BESIDE = """
SELECT id FROM (
    SELECT id, started_at, finished_at FROM public.run AS other
    WHERE run.id IS NULL AND slot.window_ends <= clock_timestamp() AND other.tenant = slot.tenant
      AND other.pipeline = slot.pipeline AND other.created_at <= slot.at AND other.mode = 'publish'
    ORDER BY other.created_at DESC, other.id DESC LIMIT 5) AS newest
WHERE started_at IS NOT NULL AND (finished_at IS NULL OR finished_at >= slot.window_ends) LIMIT 1
"""
# now(), the transaction's beginning: an index cannot be searched for a clock that goes on meanwhile.
OPEN = f"""
SELECT {SLOT}, {RUN}, beside.id AS beside, pause.since AS pause_since,
       pause.actor AS pause_actor, pause.until AS pause_until, pause.reason AS pause_reason, resumed.data AS resumed,
       resumed.before AS resumed_before, resumed.at AS resumed_at
FROM (SELECT * FROM public.slot WHERE verdict IS NULL AND at <= now() ORDER BY at, id LIMIT $1) AS slot
LEFT JOIN LATERAL ({ITS_RUN.format("slot")}) AS run ON true
LEFT JOIN public.pipeline_pause AS pause ON run.id IS NULL AND pause.tenant = slot.tenant
    AND pause.pipeline = slot.pipeline AND pause.since <= slot.at AND (pause.until IS NULL OR pause.until > slot.at)
LEFT JOIN LATERAL ({RESUMED}) AS resumed ON true
LEFT JOIN LATERAL ({BESIDE}) AS beside ON true
ORDER BY slot.at, slot.id
"""  # noqa: S608 - our own names
COME = f"""
WITH since AS (SELECT clock_timestamp() - make_interval(secs => $1) AS since), come AS (
    SELECT tenant, pipeline, slot AS at, false AS ended FROM public.run
    WHERE slot IS NOT NULL AND created_at > (SELECT since FROM since) AND mode = 'publish'
    UNION
    SELECT tenant, pipeline, slot, true FROM public.run
    WHERE slot IS NOT NULL AND status = 'skipped' AND finished_at > (SELECT since FROM since) AND mode = 'publish'
    UNION
    SELECT run.tenant, run.pipeline, run.slot, false FROM public.slot JOIN public.run ON run.id = slot.run_id
    WHERE slot.verdict = 'missed' AND slot.reason = 'not_started' AND run.slot IS NOT NULL
)
SELECT DISTINCT ON (come.at, come.tenant, come.pipeline) {SLOT}, {RUN}, come.tenant AS its_tenant,
       come.pipeline AS its_pipeline, come.at AS its_at
FROM come
LEFT JOIN LATERAL (
    SELECT * FROM public.slot AS one
    WHERE one.tenant = come.tenant AND one.pipeline = come.pipeline AND one.at = come.at
    ORDER BY expected DESC, id LIMIT 1) AS slot ON true
JOIN LATERAL ({ITS_RUN.format("come")}) AS run ON true
WHERE slot.id IS NULL OR slot.verdict IN ('missed', 'skipped') OR (slot.verdict IN ('ran', 'late') AND come.ended)
ORDER BY come.at, come.tenant, come.pipeline LIMIT 1000
"""  # noqa: S608
DECIDE = f"""
WITH said AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::double precision[], $5::text[], $6::text[],
                         $7::uuid[]) AS said (its_id, was, became, lateness, why, words, its_run)
)
UPDATE public.slot
SET verdict = became, late_by = lateness, reason = why, detail = words, run_id = its_run,
    decided_at = CASE WHEN became IS NOT NULL THEN clock_timestamp() END
FROM said WHERE id = its_id AND verdict IS NOT DISTINCT FROM was
RETURNING {SLOT}
"""  # noqa: S608
EVENTS = """
INSERT INTO public.event (at, subject, kind, actor, tenant, data, before, after)
SELECT clock_timestamp(), * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[],
                                        $7::jsonb[])
"""
DUE = f"""
SELECT {SLOT} FROM public.slot
WHERE verdict IS NULL AND expected AND at <= now() AND window_ends > now() AND tenant = $1
  AND (oddity = 'gap' OR NOT $2)
  AND NOT EXISTS (
    SELECT FROM public.pipeline_pause AS pause
    WHERE pause.tenant = slot.tenant AND pause.pipeline = slot.pipeline AND pause.since <= slot.at
      AND (pause.until IS NULL OR pause.until > slot.at))
  AND NOT EXISTS (
    SELECT FROM public.run WHERE run.tenant = slot.tenant AND run.pipeline = slot.pipeline AND run.slot = slot.at
      AND run.mode = 'publish')
ORDER BY at, id LIMIT $3
"""  # noqa: S608


def page_query(which: SlotFilter, limit: int, after: tuple[datetime, UUID] | None) -> tuple[str, list[Any]]:
    """One row more than the page has, which tells whether another page follows."""
    values: list[Any] = [which.tenant]
    wheres = ["tenant = $1"]

    def where(text: str, *more: Any) -> None:
        wheres.append(text.format(*(f"${len(values) + place}" for place in range(1, len(more) + 1))))
        values.extend(more)

    if which.pipeline is not None:
        where("pipeline = {}", which.pipeline)
    if which.verdicts is not None:
        where("verdict = ANY ({}::text[])", [str(one) for one in which.verdicts])
    if which.since is not None:
        where("at >= {}", which.since)
    if which.until is not None:
        where("at < {}", which.until)
    if after is not None:
        where("(at, id) " + ("<" if which.newest_first else ">") + " ({}, {})", *after)
    order = "at DESC, id DESC" if which.newest_first else "at, id"
    values.append(limit + 1)
    return (
        f"SELECT {SLOT} FROM public.slot WHERE {' AND '.join(wheres)} "  # noqa: S608 - our own names
        f"ORDER BY {order} LIMIT ${len(values)}",
        values,
    )
