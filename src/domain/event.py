"""What is written down beside every change: the event, and the notice that somebody has to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from .tenant import DEFAULT_TENANT, Tenant


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit: who did what to which subject, and when by the database's clock."""

    subject: str
    """``run:<id>``, ``report:<name>``, ``audit:<tenant>``."""
    kind: str
    """``run.created``, ``run.running``, … , ``report.rolled_back``."""
    actor: str
    """``user:<name>``, ``token:<id>``, ``oidc:<subject>``, ``attempt:<id>`` or ``reconciler``."""
    at: datetime
    tenant: Tenant = DEFAULT_TENANT
    method: str | None = None
    """How it was asked for: ``cli``, ``POST /runs/{run_id}/cancel``; None where the actor acts on its own."""
    reason: str | None = None
    """Why, in the actor's words."""
    run_id: UUID | None = None
    before: dict[str, Any] | None = None
    """Of a change of state: what was otherwise, and how; None where nothing was there."""
    after: dict[str, Any] | None = None
    """The same names, and what they are now."""
    data: dict[str, Any] = {}
    seq: int | None = None
    """Its place in RunLog's order of writing; None before it is written."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row: a message that is due, written in the transaction that made it due."""

    run_id: UUID | None = None
    """The run that it is about; None where it is about none."""
    kind: str
    """``incident.opened``, ``incident.grew``, ``incident.recovered``."""
    pipeline: str
    tenant: Tenant = DEFAULT_TENANT
    incident_id: int | None = None
    """The incident that it is about, by its number."""
