"""What fits into a termination message: enough to complete a run's record."""

from __future__ import annotations

from uuid import UUID

import msgspec

from .failure import FailureCause, SkipReason
from .run_status import RunStatus
from .storable import storable

LIMIT = 4096
"""Bytes: what Kubernetes keeps of a termination message."""


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attempt's end in at most ``LIMIT`` bytes of JSON."""

    run_id: UUID
    attempt_id: UUID
    pipeline: str
    status: RunStatus
    exit_code: int
    cause: FailureCause | None = None
    skip_reason: SkipReason | None = None
    payload_exit_code: int | None = None
    signal: str | None = None
    message: str | None = None
    fence: int | None = None
    published: tuple[str, ...] = ()
    duration: float = 0.0

    def encoded(self) -> bytes:
        """JSON of at most ``LIMIT`` bytes; the message gives way first, then the names of the reports.

        What is no text is mended.
        """
        summary = storable(self)
        text = msgspec.json.encode(summary)
        if len(text) <= LIMIT:
            return text
        message = summary.message or ""
        # Six bytes is the most that one character takes in JSON ("\u001f"), so this many always fit.
        shorter = msgspec.structs.replace(
            summary, message=message[:300] + "…" if message else None, pipeline=summary.pipeline[:100]
        )
        text = msgspec.json.encode(shorter)
        return text if len(text) <= LIMIT else msgspec.json.encode(msgspec.structs.replace(shorter, published=()))
