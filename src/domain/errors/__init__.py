"""Every error that KubeScribe raises on purpose.

One base; each class carries ids as attributes and builds its own message, which says what happened, why, and
what to do next. A message never carries a secret. ``exit_code`` is the process exit code of DESIGN section 4.
"""

from __future__ import annotations

from .access import (
    IdentityProviderUnavailable,
    NotAllowed,
    NotAuthenticated,
    TokenNotFound,
)
from .audit import (
    AnchorNotSent,
    BadAnchor,
    ChainBroken,
)
from .base import (
    ConfigurationError,
    KubescribeError,
    TemporaryError,
)
from .browsing import (
    BadCursor,
    BadRowQuery,
    RunDidNotPublish,
    TookTooLong,
    TooManyRows,
    VersionGone,
)
from .cluster import (
    ClusterRefused,
    ClusterUnavailable,
)
from .databases import (
    CommitUnknown,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnavailable,
    QueryFailed,
    SchemaMismatch,
    SnapshotLost,
    TablesChanged,
    ValueRefused,
)
from .declarations import (
    BadDeclaration,
    BadParameters,
    BadSchedule,
    PipelineNotFound,
    UnknownTimezone,
)
from .incidents import (
    IncidentNotFound,
    IncidentOver,
    SnoozeRefused,
)
from .messages import (
    NotDelivered,
    PostFailed,
)
from .reports import (
    ChecksFailed,
    FileUnreadable,
    ReportDependedOn,
    ReportMismatch,
    ReportNotFound,
    ReportRepeated,
    ReportsMissing,
    ReportUndeclared,
    RollbackRefused,
    StagingIncomplete,
    UnsupportedType,
    VersionNotKept,
)
from .requests import (
    BadRequestKey,
    CancelRefused,
    KeyReused,
    NotPaused,
    PauseRefused,
    RetryRefused,
)
from .runs import (
    AmbiguousRun,
    AttemptNotFound,
    Fenced,
    IllegalTransition,
    LauncherBusy,
    LaunchRefused,
    PipelineBusy,
    RunClosed,
    RunMismatch,
    RunNotFound,
    Superseded,
)
from .settings import (
    BadDatabaseUrl,
    BadDuration,
    BadSetting,
    CommandNotFound,
    EmbeddedNotAnswering,
    EmbeddedUnavailable,
    NotConfigured,
)

__all__ = [
    "AmbiguousRun",
    "AnchorNotSent",
    "AttemptNotFound",
    "BadAnchor",
    "BadCursor",
    "BadDatabaseUrl",
    "BadDeclaration",
    "BadDuration",
    "BadParameters",
    "BadRequestKey",
    "BadRowQuery",
    "BadSchedule",
    "BadSetting",
    "CancelRefused",
    "ChainBroken",
    "ChecksFailed",
    "ClusterRefused",
    "ClusterUnavailable",
    "CommandNotFound",
    "CommitUnknown",
    "ConfigurationError",
    "DatabaseReadOnly",
    "DatabaseRefused",
    "DatabaseUnavailable",
    "EmbeddedNotAnswering",
    "EmbeddedUnavailable",
    "Fenced",
    "FileUnreadable",
    "IdentityProviderUnavailable",
    "IllegalTransition",
    "IncidentNotFound",
    "IncidentOver",
    "KeyReused",
    "KubescribeError",
    "LaunchRefused",
    "LauncherBusy",
    "NotAllowed",
    "NotAuthenticated",
    "NotConfigured",
    "NotDelivered",
    "NotPaused",
    "PauseRefused",
    "PipelineBusy",
    "PipelineNotFound",
    "PostFailed",
    "QueryFailed",
    "ReportDependedOn",
    "ReportMismatch",
    "ReportNotFound",
    "ReportRepeated",
    "ReportUndeclared",
    "ReportsMissing",
    "RetryRefused",
    "RollbackRefused",
    "RunClosed",
    "RunDidNotPublish",
    "RunMismatch",
    "RunNotFound",
    "SchemaMismatch",
    "SnapshotLost",
    "SnoozeRefused",
    "StagingIncomplete",
    "Superseded",
    "TablesChanged",
    "TemporaryError",
    "TokenNotFound",
    "TooManyRows",
    "TookTooLong",
    "UnknownTimezone",
    "UnsupportedType",
    "ValueRefused",
    "VersionGone",
    "VersionNotKept",
]
