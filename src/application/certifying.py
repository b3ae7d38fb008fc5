"""How a certificate from outside gets to an attempt: the same in every adapter of ``JobLog``."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..domain.actor import RECONCILER, supervisor
from ..domain.attempt import Attempt, DeathCertificate
from ..domain.failure import SENDERS, FailureCause
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
    return told_by_another or in_haste or _was_only_told_to_end(attempt)


def certified(run: Run, known: Attempt | None, told: Attempt, *, number: int) -> Attempt:
    """The attempt as it is kept; ``number``: the next of its run, for one that is not known."""
    if known is not None:
        ended = known.ended_at or max(told.ended_at or known.started_at, known.started_at)
        certificate = told.certificate
        if _was_only_told_to_end(known):
            certificate = _with_the_sender(
                known.certificate or DeathCertificate(), told.certificate or DeathCertificate()
            )
        return msgspec.structs.replace(known, ended_at=ended, certificate=certificate)
    started = max(told.started_at, run.created_at)
    ended_at: datetime = max(told.ended_at or started, started)
    return msgspec.structs.replace(told, number=number, started_at=started, lease_until=started, ended_at=ended_at)


def _was_only_told_to_end(attempt: Attempt) -> bool:
    """Whether its supervisor wrote down a signal, and nobody has asked the cluster yet who wanted its pod to go."""
    own = attempt.certificate
    return (
        own is not None and own.cause is FailureCause.SIGNAL and own.pod is None and attempt.whereabouts.pod is not None
    )


def _with_the_sender(own: DeathCertificate, told: DeathCertificate) -> DeathCertificate:
    """What the supervisor has measured stays, and so does its word where the cluster knows no better one."""
    better = told.cause in SENDERS
    return msgspec.structs.replace(
        own,
        cause=told.cause if better else own.cause,
        message=told.message if better else own.message,
        reason=told.reason,
        memory_limit=own.memory_limit or told.memory_limit,
        pod=told.pod,
        node=told.node,
        events=told.events,
    )
