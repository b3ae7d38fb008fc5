"""How an attempt ended, in the words that decide what becomes of its run."""

from __future__ import annotations

import msgspec

from .attempt import DeathCertificate
from .exit_code import ExitCode
from .failure import FailureCause, SkipReason
from .run_status import RunStatus


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt's end as its supervisor saw it.

    ``status`` is what the run becomes: SUCCEEDED, FAILED or SKIPPED; PENDING when another attempt follows;
    UNCERTAIN when the answer to the publishing COMMIT was lost and the ledger could not be read since.
    """

    status: RunStatus
    exit_code: int
    """Of the supervisor (:class:`ExitCode`, or the payload's own)."""
    certificate: DeathCertificate
    published: bool = False
    """True: the run's rows are in the ledger, so it has succeeded whoever says otherwise."""
    skip_reason: SkipReason | None = None
    duration: float = 0.0
    """Seconds by the monotonic clock."""

    @property
    def message(self) -> str | None:
        """What happened, for people."""
        return self.certificate.message

    @property
    def cause(self) -> FailureCause | None:
        """Why it did not give its result."""
        return self.certificate.cause


NEVER_RETRIED = frozenset(
    {
        FailureCause.CONFIG_ERROR,
        FailureCause.PRECONDITION,
        FailureCause.FENCED,
        FailureCause.RUN_DEADLINE,
    }
)
"""Causes that another attempt of the same run cannot mend."""


def payload_exit_code(code: int) -> int:
    """The code that the supervisor ends with after a payload that ended with ``code``.

    A payload's code that equals one of ours would be mistaken for our protocol's, so it becomes 1; the
    payload's own stays in its death certificate. ``code`` is below 0 for a signal, as in :mod:`subprocess`.
    """
    from .exit_code import RESERVED

    if code < 0:
        return 128 - code
    return ExitCode.PAYLOAD.value if code in RESERVED else code
