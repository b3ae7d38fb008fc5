"""A RunLog with a long history: two runs that the product recorded itself, multiplied by SQL.

What differs from run to run are ids, times, pipelines, states, triggers, actors and parameters; documents (what was
printed, certificates, what events and notes hold) are those of the two.
"""

from __future__ import annotations

import sys
import time
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from kubescribe.adapters.postgres.rows import chunk_data, chunk_from
from kubescribe.domain.log import LogChunk
from tests.support.command_line import CommandLine

PIPELINES = 50
LINES = 20
"""Of each run's output."""
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",  # what is filled into a table in the transaction that empties it needs no log
    "max_wal_senders": "0",
    "maintenance_work_mem": "256MB",
    "work_mem": "64MB",
    "autovacuum": "off",  # everything is vacuumed and analysed once, before anybody measures
}
_TABLES = ("run", "attempt", "event", "note", "log_chunk", "outbox", "delivery", "request_key")

# A run every thirty seconds: a million of them are eleven and a half months. Of a hundred runs ninety succeed.
_BASE = """
CREATE UNLOGGED TABLE base AS
SELECT n, at, pipeline, status, region, trigger,
       CASE trigger WHEN 'schedule' THEN 'schedule' WHEN 'api' THEN 'token:deploy-' || n % 5
                    ELSE 'user:u' || n % 30 || '@example.org' END AS actor,
       (stamp || '-7' || substr(mixed, 1, 3) || '-8' || substr(mixed, 4, 3) || '-' || substr(mixed, 7, 12))::uuid AS id,
       (stamp || '-7' || substr(mixed, 8, 3) || '-9' || substr(mixed, 11, 3) || '-' || substr(mixed, 14, 12))::uuid
           AS attempt_id
FROM (
    SELECT n, now() - ({runs} - n) * interval '30 seconds' - interval '1 hour' AS at,
           'orders_' || lpad((n::bigint * 7919 % {pipelines})::text, 2, '0') AS pipeline,
           (ARRAY['failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'lost', 'cancelled', 'skipped', 'failed'])
               [CASE WHEN draw < 10 THEN draw + 1 END] AS bad,
           (ARRAY['eu', 'us', 'ap', 'af'])[1 + draw % 4] AS region,
           (ARRAY['schedule', 'schedule', 'schedule', 'schedule', 'schedule', 'api', 'manual'])[1 + draw % 7]
               AS trigger
    FROM (SELECT n, get_byte(decode(md5(n::text), 'hex'), 3) * 256 + get_byte(decode(md5(n::text), 'hex'), 4) AS large
          FROM generate_series(1, {runs}) AS n) AS numbers, LATERAL (SELECT large % 100 AS draw) AS drawn
) AS drawn,
LATERAL (SELECT coalesce(bad, 'succeeded') AS status, md5('run' || n) AS mixed,
                lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS hex) AS made,
LATERAL (SELECT substr(hex, 1, 8) || '-' || substr(hex, 9, 4) AS stamp) AS stamped
"""

# Each: columns that differ; all others are those of the product's own row of the same kind.
_RUN = """
id = base.id, pipeline = base.pipeline, status = base.status, trigger = base.trigger, actor = base.actor,
slot = CASE WHEN base.trigger = 'schedule' THEN base.at END,
parameters = jsonb_build_object('day', to_char(base.at, 'YYYY-MM-DD'), 'region', base.region, 'broken', false),
created_at = base.at, started_at = base.at + interval '2 ms', run_deadline_at = base.at + interval '30 minutes',
finished_at = base.at + (2 + base.n % 600) * interval '1 second', duration = 2 + base.n % 600,
attempt_id = base.attempt_id, skip_reason = CASE WHEN base.status = 'skipped' THEN 'superseded' END
"""
_ATTEMPT = """
id = base.attempt_id, run_id = base.id, fence = base.n, started_at = base.at + interval '2 ms',
lease_until = base.at + (60 + base.n % 600) * interval '1 second',
ended_at = base.at + (2 + base.n % 600) * interval '1 second'
"""
_EVENT = """
seq = 3 * (base.n - 1) + one.place, at = base.at + (one.place - 1) * interval '1 second', run_id = base.id,
subject = 'run:' || base.id, position = 3 * (base.n - 1) + one.place, digest = sha256(base.n::text::bytea),
kind = CASE one.place WHEN 3 THEN 'run.' || base.status ELSE one.kind END,
actor = CASE one.place WHEN 1 THEN base.actor ELSE 'attempt:' || base.attempt_id END,
data = CASE one.place WHEN 1 THEN jsonb_set(one.data, '{pipeline}', to_jsonb(base.pipeline)) ELSE one.data END
"""
_NOTE = "attempt_id = base.attempt_id, at = base.at + interval '1 second'"
_CHUNK = "attempt_id = base.attempt_id, seq = 1, at = base.at + interval '2 seconds'"
_OUTBOX = """
id = base.n, run_id = base.id, pipeline = base.pipeline, created_at = base.at, status = 'expired'
"""
_FIGURES = """
INSERT INTO run_figures (pipeline, status, cause, stripe, runs, seconds, buckets)
SELECT pipeline, status, coalesce(cause, ''), 0, count(*), sum(duration), ARRAY[
    count(*) FILTER (WHERE duration <= 1), count(*) FILTER (WHERE duration <= 5),
    count(*) FILTER (WHERE duration <= 15), count(*) FILTER (WHERE duration <= 60),
    count(*) FILTER (WHERE duration <= 300), count(*), count(*), count(*), count(*), count(*)]
FROM run GROUP BY pipeline, status, cause
"""


class History(msgspec.Struct, frozen=True):
    """What there is to ask for."""

    runs: tuple[UUID, ...]
    """Some of them, from all of the time."""
    pipelines: tuple[str, ...]
    rows: int
    """In all tables together."""
    size: int
    """Bytes of the database, indexes included."""
    seconds: float
    """That filling took."""


def fill(url: str, commands: CommandLine, runs: int, *, asked: int = 2_000) -> History:
    """Have two runs made by the product, then multiply them to ``runs``; ``asked``: how many ids to hand out."""
    began = time.monotonic()
    for broken in ("false", "true"):
        ended = commands("run", "orders_of_a_day", "--param", f"broken={broken}")
        assert ended.returncode == (1 if broken == "true" else 0), ended.stderr
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: they count what happens
        _keep_templates(connection)
        connection.execute(_BASE.format(runs=runs, pipelines=PIPELINES).encode())
        connection.execute("ANALYZE base")
        indexes = _drop_indexes(connection)
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, _TABLES))))
        _multiply(connection, "run", _RUN, "one.status = base.template")
        _multiply(connection, "attempt", _ATTEMPT, "one.status = base.template")
        _multiply(connection, "event", _EVENT, "one.status = base.template")
        _multiply(connection, "note", _NOTE, "one.status = base.template AND one.kind <> 'metric'")
        _multiply(connection, "log_chunk", _CHUNK, "one.status = 'succeeded'")
        _multiply(connection, "outbox", _OUTBOX, "base.status IN ('failed', 'lost')")
        connection.execute(_FIGURES)
        for table, column in (("event", "seq"), ("outbox", "id")):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table}".encode()
            )
        _say("indexes")
        for statement in indexes:
            connection.execute(statement.encode())
        connection.execute("DROP TABLE base; DROP SCHEMA template CASCADE")
    return _looked_at(url, asked, began)


def _keep_templates(connection: psycopg.Connection) -> None:
    """The rows of the two runs, each with the state of its run, and its place among its run's."""
    connection.execute("CREATE SCHEMA template")
    of_attempt = "JOIN attempt ON attempt.id = mine.attempt_id JOIN run ON run.id = attempt.run_id"
    joins = {
        "run": ("JOIN run ON run.id = mine.id", "mine.id"),
        "attempt": ("JOIN run ON run.id = mine.run_id", "mine.number"),
        "event": ("JOIN run ON run.id = mine.run_id", "mine.seq"),
        "note": (of_attempt, "mine.seq"),
        "log_chunk": (of_attempt, "mine.seq"),
        "outbox": ("JOIN run ON run.id = mine.run_id", "mine.id"),
    }
    for table, (join, order) in joins.items():
        status = "" if table == "run" else "run.status, "
        made = (
            f"CREATE TABLE template.{table} AS SELECT mine.*, {status}"
            f"row_number() OVER (PARTITION BY run.id ORDER BY {order})::int AS place FROM {table} AS mine {join}"
        )
        if table == "outbox":  # it has a status of its own
            made = made.replace("mine.*, run.status, ", "mine.*, ")
        connection.execute(made.encode())
    # On a busy machine what was printed comes in more than one piece: a chunk a run, as on others.
    rows = connection.execute(
        "SELECT attempt_id, seq, data FROM template.log_chunk WHERE status = 'succeeded' ORDER BY seq"
    ).fetchall()
    lines = tuple(
        line
        for attempt, seq, data in rows
        for line in chunk_from({"attempt_id": attempt, "seq": seq, "data": data}).lines
    )
    assert len(lines) == LINES, lines
    whole = chunk_data(LogChunk(attempt_id=rows[0][0], seq=1, lines=lines))
    connection.execute("DELETE FROM template.log_chunk WHERE place > 1")
    connection.execute("UPDATE template.log_chunk SET data = %s WHERE status = 'succeeded'", [whole])


def _multiply(connection: psycopg.Connection, table: str, changes: str, which: str) -> None:
    _say(table)
    columns = [
        row[0]
        for row in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            [f"public.{table}"],
        )
    ]
    changed = _changes(changes)
    values = ", ".join(changed.get(column, f'one."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    connection.execute(
        f"INSERT INTO public.{table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} "
        "FROM (SELECT *, CASE WHEN status IN ('failed', 'lost') THEN 'failed' ELSE 'succeeded' END AS template "
        f"FROM base) AS base JOIN template.{table} AS one ON {which} ORDER BY base.n, one.place".encode()
    )


def _changes(text: str) -> dict[str, str]:
    """``column = expression`` pairs; commas within brackets belong to their expression."""
    parts, depth = [""], 0
    for character in text.strip():
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    pairs = (part.strip().split(" = ", 1) for part in parts)
    return {name.strip(): expression for name, expression in pairs}


def _drop_indexes(connection: psycopg.Connection) -> list[str]:
    """Drop what is no constraint; the statements that make them again, which is faster than filling them."""
    rows = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [[f"public.{table}" for table in _TABLES]],
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP INDEX {name}".encode())
    return [definition for _, definition in rows]


def _looked_at(url: str, asked: int, began: float) -> History:
    _say("vacuum, analyse")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")
        found = connection.execute(
            "SELECT (SELECT array_agg(id) FROM (SELECT id FROM run ORDER BY md5(id::text) LIMIT %s) AS drawn), "
            "(SELECT array_agg(DISTINCT pipeline ORDER BY pipeline) FROM run_figures WHERE pipeline LIKE 'orders#___' "
            "ESCAPE '#'), (SELECT sum(reltuples)::bigint FROM pg_class WHERE oid = ANY(%s::regclass[])), "
            "pg_database_size(current_database())",
            [asked, [f"public.{table}" for table in _TABLES]],
        ).fetchone()
        assert found is not None
        ids, pipelines, rows, size = found
    return History(tuple(ids), tuple(pipelines), rows, size, time.monotonic() - began)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} filling: {what}", file=sys.stderr)
