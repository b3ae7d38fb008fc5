"""RunLog's tables as SQLAlchemy sees them; the migrations make them, and a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from .incident_tables import incident, incident_number, incident_terms, promise, promise_count, promise_held
from .metadata import JSON as _JSON
from .metadata import MOMENT as _MOMENT
from .metadata import metadata

__all__ = [
    "incident",
    "incident_number",
    "incident_terms",
    "metadata",
    "promise",
    "promise_count",
    "promise_held",
]

run = Table(
    "run",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("mode", Text, nullable=False),
    Column("parameters", _JSON, nullable=False),
    Column("slot", _MOMENT),
    Column("retry_of", Uuid),
    Column("code_version", Text),
    Column("may_publish", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("started_at", _MOMENT),
    Column("finished_at", _MOMENT),
    Column("duration", Double),
    Column("launch", Text),
    Column("start_deadline_at", _MOMENT),
    Column("run_deadline_at", _MOMENT),
    Column("cancel_asked_at", _MOMENT),
    Column("attempt_id", Uuid),
    Column("attempts", Integer, nullable=False),
    Column("cause", Text),
    Column("skip_reason", Text),
    Column("message", Text),
    Column("evidence", Text),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("fence", BigInteger),
    Column("whereabouts", _JSON, nullable=False),
    Column("started_at", _MOMENT, nullable=False),
    Column("lease", Double, nullable=False),
    Column("lease_until", _MOMENT, nullable=False),
    Column("ended_at", _MOMENT),
    Column("progress", Double),
    Column("progress_text", Text),
    Column("memory", BigInteger),
    Column("cpu_seconds", Double),
    Column("certificate", _JSON),
)

event = Table(
    "event",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _MOMENT, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("run_id", Uuid),
    Column("data", _JSON, nullable=False),
    Column("method", Text),
    Column("reason", Text),
    Column("before", _JSON),
    Column("after", _JSON),
    Column("position", BigInteger),
    Column("digest", LargeBinary),
)

token = Table(
    "token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_by", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    Column("last_used_at", _MOMENT),
)

web_session = Table(
    "web_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("signed_in", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
)

leader = Table(
    "leader",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Uuid, nullable=False),
    Column("lease_until", _MOMENT, nullable=False),
)

note = Table(
    "note",
    metadata,
    Column("attempt_id", Uuid, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", _JSON, nullable=False),
    Column("at", _MOMENT, nullable=False),
)

log_chunk = Table(
    "log_chunk",
    metadata,
    Column("attempt_id", Uuid, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("at", _MOMENT, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("status", Text, nullable=False),
    Column("since", _MOMENT),
    Column("failures", Integer, nullable=False),
    Column("incident_id", BigInteger),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("notice_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", _MOMENT, nullable=False),
    Column("settled_at", _MOMENT),
    Column("error", Text),
    Column("lead", BigInteger),
    Column("down", Boolean, nullable=False),
)

reminder = Table(
    "reminder",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("incident_id", BigInteger, primary_key=True),
    Column("at", _MOMENT, nullable=False),
)

week_summary = Table(
    "week_summary",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("week", Text, primary_key=True),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("opens_at", _MOMENT, nullable=False),
    Column("quiet_at", _MOMENT, nullable=False),
)

event_anchor = Table(
    "event_anchor",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("sent_to", Text, primary_key=True),
    Column("sent_at", _MOMENT, primary_key=True),
)

run_figures = Table(
    "run_figures",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("cause", Text, primary_key=True),
    Column("stripe", Integer, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("buckets", ARRAY(BigInteger), nullable=False),
)

request_key = Table(
    "request_key",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
)

pipeline_pause = Table(
    "pipeline_pause",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("since", _MOMENT, nullable=False),
    Column("until", _MOMENT),
)

slot = Table(
    "slot",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("logical", Text, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("window_ends", _MOMENT, nullable=False),
    Column("oddity", Text),
    Column("expected", Boolean, nullable=False),
    Column("verdict", Text),
    Column("late_by", Double),
    Column("reason", Text),
    Column("detail", Text),
    Column("run_id", Uuid),
    Column("decided_at", _MOMENT),
    Column("told", Boolean, nullable=False),
)

slot_plan = Table(
    "slot_plan",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("planned_until", _MOMENT, nullable=False),
)
