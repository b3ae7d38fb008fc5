"""An attempt, and how it ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ....domain.attempt import Attempt, DeathCertificate


class DeathCertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. Memory is in bytes."""

    cause: str | None
    exit_code: int | None
    signal: str | None
    memory_peak: int | None
    memory_limit: int | None
    cpu_seconds: float | None
    message: str | None
    recorded_by: str | None

    @classmethod
    def of(cls, end: DeathCertificate) -> DeathCertificateView:
        """The view of a certificate; its log lines are logs, and shown to whoever may read those."""
        return cls(**{name: getattr(end, name) for name in cls.__struct_fields__})


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a run."""

    id: UUID
    number: int
    fence: int | None
    host: str
    started_at: datetime
    lease_until: datetime
    ended_at: datetime | None
    progress: float | None
    progress_text: str | None
    memory: int | None
    cpu_seconds: float | None
    certificate: DeathCertificateView | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptView:
        """The view of an attempt."""
        end = attempt.certificate
        same = ("id", "number", "fence", "started_at", "lease_until", "ended_at")
        beat = ("progress", "progress_text", "memory", "cpu_seconds")
        return cls(
            **{name: getattr(attempt, name) for name in (*same, *beat)},
            host=attempt.whereabouts.host,
            certificate=None if end is None else DeathCertificateView.of(end),
        )
