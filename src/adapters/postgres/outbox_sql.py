"""The statements of the outbox. What is due is found by its status, never by \"newer than the last\"."""

from __future__ import annotations

BATCH = 1000

# One sender plans at a time: deliveries that came into being in another order than their notices would be sent so.
TURN = "SELECT pg_try_advisory_xact_lock(723607, hashtext($1))"
EXPIRE = """
UPDATE public.outbox SET status = 'expired'
WHERE tenant = $1 AND status = 'due' AND created_at < clock_timestamp() - make_interval(secs => $2)
"""
DUE = """
SELECT id, kind, pipeline, tenant, failures, clock_timestamp() AS now FROM public.outbox
WHERE tenant = $1 AND status = 'due' ORDER BY id LIMIT $2 FOR UPDATE
"""
PLAN = """
INSERT INTO public.delivery (tenant, notice_id, channel, address, pipeline, next_at)
SELECT $1, notice_id, channel, address, outbox.pipeline, clock_timestamp() + make_interval(secs => wait)
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::double precision[]) AS one (notice_id, channel, address, wait)
JOIN public.outbox ON outbox.id = notice_id
ORDER BY notice_id
ON CONFLICT DO NOTHING
"""
MAILBOXES = """
INSERT INTO public.mailbox (tenant, channel, address)
SELECT DISTINCT $1, channel, address FROM unnest($2::text[], $3::text[]) AS one (channel, address)
ON CONFLICT DO NOTHING
"""
PLANNED = """
UPDATE public.outbox SET status = CASE WHEN id = ANY ($2::bigint[]) THEN 'planned' ELSE 'silent' END
WHERE id = ANY ($1::bigint[])
"""
_FIELDS = """
delivery.id, notice_id, outbox.kind, outbox.run_id, incident_id, delivery.pipeline, channel, address, outbox.created_at,
outbox.since, failures, delivery.status, delivery.attempts, error, down, incident.kind AS trouble, run.cause,
left(CASE WHEN incident.kind <> 'failing' THEN incident.why ELSE coalesce(run.message, incident.why) END, 300) AS said,
extract(epoch FROM clock_timestamp() - outbox.created_at)::double precision AS age
"""
_JOINED = """public.delivery JOIN public.outbox ON outbox.id = notice_id
LEFT JOIN public.run ON run.id = outbox.run_id
LEFT JOIN public.incident ON incident.tenant = outbox.tenant AND incident.id = outbox.incident_id"""
AGAIN = """
UPDATE public.delivery SET attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => $3)
WHERE id = (
    SELECT next.id FROM public.delivery AS next
    WHERE next.tenant = $1 AND next.channel = $2 AND next.status = 'due' AND next.lead = next.id
      AND next.next_at <= clock_timestamp()
      AND NOT EXISTS (
        SELECT FROM public.delivery AS earlier
        WHERE earlier.tenant = $1 AND earlier.channel = $2 AND earlier.status = 'due'
          AND earlier.address = next.address AND earlier.pipeline = next.pipeline AND earlier.lead < next.lead)
    ORDER BY next.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
# Locked first, and looked into in a statement of its own: what this one sees may be over when the lock is held.
MAILBOX = """
SELECT address FROM public.mailbox AS box
WHERE tenant = $1 AND channel = $2 AND opens_at <= clock_timestamp() AND address <> ALL ($3::text[])
  AND EXISTS (
    SELECT FROM public.delivery AS one
    WHERE one.tenant = $1 AND one.channel = $2 AND one.address = box.address AND one.status = 'due'
      AND one.lead IS NULL AND one.next_at <= clock_timestamp())
ORDER BY (
    SELECT min(notice_id) FROM public.delivery AS one
    WHERE one.tenant = $1 AND one.channel = $2 AND one.address = box.address AND one.status = 'due'
      AND one.lead IS NULL)
LIMIT 1 FOR UPDATE SKIP LOCKED
"""
WAITING = """
SELECT count(*) AS messages, coalesce(bool_or(down), false) AS down FROM public.delivery
WHERE tenant = $1 AND channel = $2 AND address = $3 AND status = 'due' AND lead = id
"""
FORM = """
WITH waiting AS MATERIALIZED (
    SELECT DISTINCT pipeline FROM public.delivery
    WHERE tenant = $1 AND channel = $2 AND address = $3 AND status = 'due' AND lead IS NOT NULL
), later AS MATERIALIZED (
    SELECT pipeline, min(notice_id) AS first FROM public.delivery
    WHERE tenant = $1 AND channel = $2 AND address = $3 AND status = 'due' AND lead IS NULL
      AND next_at > clock_timestamp()
    GROUP BY pipeline
), able AS MATERIALIZED (
    SELECT next.id, next.notice_id, next.pipeline = '' AS general
    FROM public.delivery AS next LEFT JOIN later ON later.pipeline = next.pipeline
    WHERE next.tenant = $1 AND next.channel = $2 AND next.address = $3 AND next.status = 'due' AND next.lead IS NULL
      AND next.next_at <= clock_timestamp() AND next.pipeline NOT IN (SELECT pipeline FROM waiting)
      AND (later.first IS NULL OR next.notice_id < later.first)
    ORDER BY next.notice_id, next.id LIMIT $4 FOR UPDATE OF next
), chosen AS MATERIALIZED ( -- what is about no pipeline is a message of its own
    SELECT id, notice_id FROM able
    WHERE general = (SELECT general FROM able ORDER BY notice_id, id LIMIT 1)
)
UPDATE public.delivery
SET lead = (SELECT id FROM chosen ORDER BY notice_id, id LIMIT 1), attempts = 1,
    next_at = clock_timestamp() + make_interval(secs => $5)
FROM chosen WHERE delivery.id = chosen.id
RETURNING delivery.lead
"""
COLLECT = """
UPDATE public.mailbox SET opens_at = now + gap, quiet_at = now + gap + make_interval(secs => $5::double precision)
FROM (
    SELECT clock_timestamp() AS now, make_interval(
        secs => CASE WHEN clock_timestamp() > quiet_at THEN $4::double precision ELSE $5::double precision END) AS gap
    FROM public.mailbox WHERE tenant = $1 AND channel = $2 AND address = $3
) AS next
WHERE tenant = $1 AND channel = $2 AND address = $3
"""
MESSAGE = f"SELECT {_FIELDS} FROM {_JOINED} WHERE delivery.lead = $1 ORDER BY notice_id, delivery.id"  # noqa: S608
SETTLE = """
UPDATE public.delivery
SET status = $3, error = $4, next_at = clock_timestamp() + make_interval(secs => $5), down = $6,
    settled_at = CASE WHEN $3 = 'due' THEN NULL ELSE clock_timestamp() END
WHERE id = $1 AND status = 'due' AND (attempts = $2 OR $3 = 'sent')
"""
SETTLE_ALL = """
UPDATE public.delivery AS one
SET status = head.status, error = head.error, attempts = head.attempts, settled_at = head.settled_at
FROM public.delivery AS head
WHERE head.id = $1 AND one.lead = $1 AND one.id <> $1 AND one.status = 'due'
"""
DEAD = f"""
SELECT {_FIELDS} FROM {_JOINED}
WHERE delivery.tenant = $1 AND delivery.status = 'dead' ORDER BY delivery.id DESC LIMIT $2
"""  # noqa: S608
REVIVE = """
WITH revived AS (
    UPDATE public.delivery SET status = 'due', attempts = 0, settled_at = NULL, next_at = clock_timestamp()
    WHERE tenant = $1 AND status = 'dead' RETURNING id
)
SELECT count(*) FROM revived
"""
STANDING = """
SELECT (SELECT count(*) FROM (SELECT FROM public.outbox WHERE tenant = $1 AND status = 'due' LIMIT 10000) AS few)
         + (SELECT count(*) FROM (SELECT FROM public.delivery WHERE tenant = $1 AND status = 'due' LIMIT 10000) AS few)
         AS due,
       (SELECT count(*) FROM (SELECT FROM public.delivery WHERE tenant = $1 AND status = 'dead' LIMIT 10000) AS few)
         AS dead,
       coalesce(extract(epoch FROM clock_timestamp() - least(
           (SELECT min(created_at) FROM (SELECT created_at FROM public.outbox WHERE tenant = $1 AND status = 'due'
                                         ORDER BY id LIMIT 100) AS oldest),
           (SELECT min(created_at) FROM (SELECT outbox.created_at FROM public.delivery
                                         JOIN public.outbox ON outbox.id = notice_id
                                         WHERE delivery.tenant = $1 AND delivery.status = 'due'
                                         ORDER BY notice_id LIMIT 100) AS oldest))), 0)::double precision AS age
"""
