"""How a certificate from outside gets to an attempt: the same in every adapter of ``JobLog``."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..domain.actor import RECONCILER, supervisor
from ..domain.attempt import Attempt
from ..domain.run import Run


def may_be_replaced(attempt: Attempt) -> bool:
    """Whether nobody who was there has said yet how the attempt ended."""
    certificate = attempt.certificate
    if certificate is None or certificate.provisional:
        return True
    # The attempt that took over knew no more than that this one had not ended by then.
    told_by_another = (certificate.recorded_by or "").startswith("attempt:") and certificate.recorded_by != supervisor(
        attempt.id
    )
    # A verdict that came before anybody had asked the cluster for the pod's output.
    in_haste = certificate.recorded_by == RECONCILER and not certificate.log_tail and not certificate.events
    return told_by_another or in_haste


def certified(run: Run, known: Attempt | None, told: Attempt, *, number: int) -> Attempt:
    """The attempt as it is kept; ``number``: the next of its run, for one that is not known."""
    if known is not None:
        ended = known.ended_at or max(told.ended_at or known.started_at, known.started_at)
        return msgspec.structs.replace(known, ended_at=ended, certificate=told.certificate)
    started = max(told.started_at, run.created_at)
    ended_at: datetime = max(told.ended_at or started, started)
    return msgspec.structs.replace(told, number=number, started_at=started, lease_until=started, ended_at=ended_at)
