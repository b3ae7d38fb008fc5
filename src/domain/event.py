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
    """``run:<id>`` or ``report:<name>``."""
    kind: str
    """``run.created``, ``run.running``, … , ``report.rolled_back``."""
    actor: str
    at: datetime
    tenant: Tenant = DEFAULT_TENANT
    run_id: UUID | None = None
    data: dict[str, Any] = {}
    seq: int | None = None
    """Its place in RunLog's order of writing; None before it is written."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row: a message that is due, written in the transaction that made it due."""

    run_id: UUID
    kind: str
    pipeline: str
    tenant: Tenant = DEFAULT_TENANT
