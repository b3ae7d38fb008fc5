"""The tables of incidents and promises, as SQLAlchemy sees them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Table, Text, Uuid

from .metadata import MOMENT, metadata

incident = Table(
    "incident",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("pipeline", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("since", MOMENT),
    Column("last_at", MOMENT),
    Column("bad_since", MOMENT),
    Column("run_id", Uuid),
    Column("why", Text),
    Column("opened_at", MOMENT),
    Column("reopened", Integer, nullable=False),
    Column("recovered_at", MOMENT),
    Column("recovered_by", Uuid),
    Column("announced", Boolean, nullable=False),
    Column("quiet_until", MOMENT),
    Column("acknowledged_at", MOMENT),
    Column("acknowledged_by", Text),
    Column("snoozed_until", MOMENT),
    Column("assigned_to", Text),
)

incident_number = Table(
    "incident_number",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

incident_terms = Table(
    "incident_terms",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("incident_after", Integer, nullable=False),
    Column("recover_after", Integer, nullable=False),
)

promise = Table(
    "promise",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("due_at", MOMENT),
    Column("run_id", Uuid),
    Column("kept", Boolean),
    Column("judged_at", MOMENT),
    Column("why", Text),
)

promise_held = Table(
    "promise_held",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("since", MOMENT, nullable=False),
    Column("looked_at", MOMENT, nullable=False),
)

promise_count = Table(
    "promise_count",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("pipeline", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("kept", BigInteger, nullable=False),
    Column("promised", BigInteger, nullable=False),
)
