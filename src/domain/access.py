"""What somebody may do: scopes, and the roles that hold them."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One thing that a request may need. Reading and changing never share one (FAULTS S-22, S-33)."""

    RUNS_READ = "runs:read"
    """See runs, their attempts and events."""

    LOGS_READ = "logs:read"
    """See what runs printed, which may hold what no record shows."""

    RUNS_TRIGGER = "runs:trigger"
    """Start a run."""

    RUNS_CANCEL = "runs:cancel"
    """End a run."""

    RUNS_RETRY = "runs:retry"
    """Start a run again."""

    PIPELINES_READ = "pipelines:read"
    """See declarations and figures of pipelines."""

    PIPELINES_PAUSE = "pipelines:pause"
    """Pause a pipeline's schedule, and resume it."""

    INCIDENTS_READ = "incidents:read"
    """See what is wrong, and who looks after it."""

    INCIDENTS_HANDLE = "incidents:handle"
    """Acknowledge, put off, assign and annotate an incident."""

    REPORTS_READ = "reports:read"
    """See reports and their rows."""

    REPORTS_ROLLBACK = "reports:rollback"
    """Show readers an earlier version of a report."""

    METRICS_READ = "metrics:read"
    """See the figures of the whole process, in which pipelines are named."""


class Role(StrEnum):
    """A set of scopes, bound to a tenant wherever it is given."""

    VIEWER = "viewer"
    """Sees everything of its tenant and changes nothing."""

    OPERATOR = "operator"
    """Sees everything, and runs the tenant's pipelines: trigger, cancel, retry, pause, handle incidents."""

    ADMIN = "admin"
    """An operator who may also change what readers see, and read the metrics."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role may do."""
        return _SCOPES[self]


_VIEWER = frozenset({Scope.RUNS_READ, Scope.LOGS_READ, Scope.PIPELINES_READ, Scope.INCIDENTS_READ, Scope.REPORTS_READ})
_OPERATOR = _VIEWER | {
    Scope.RUNS_TRIGGER,
    Scope.RUNS_CANCEL,
    Scope.RUNS_RETRY,
    Scope.PIPELINES_PAUSE,
    Scope.INCIDENTS_HANDLE,
}
_SCOPES = {Role.VIEWER: _VIEWER, Role.OPERATOR: _OPERATOR, Role.ADMIN: frozenset(Scope)}
