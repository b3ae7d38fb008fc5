"""What a cluster does, or refuses to do."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import KubescribeError, TemporaryError


class ClusterUnavailable(TemporaryError):
    """The cluster's API server does not answer, or asks to be asked later."""

    def __init__(self, why: str, *, after: float | None = None) -> None:
        """``after``: seconds that it asks to be left alone for."""
        self.why, self.after = why, after
        super().__init__(f"the cluster does not answer: {why}; what runs goes on, and this is tried again")


class ClusterRefused(KubescribeError):
    """The cluster answers and says no: a missing right, an admission policy, an object that cannot be."""

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, status: int, why: str) -> None:
        self.what, self.status, self.why = what, status, why
        remedy = "look at what that account may do there" if status == 403 else "look at the manifests"
        super().__init__(f"the cluster refused to {what} ({status}): {why}; {remedy}")
