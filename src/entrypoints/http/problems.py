"""The one table from an error to what is answered (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ...domain import errors
from .views.problem import ProblemView

URN = "urn:kubescribe:problem:"
RETRY_AFTER = 5
"""Seconds after which to ask again, where something is away."""

Detail = Callable[[Exception], str | None]


def _itself(error: Exception) -> str | None:
    return str(error)


def _fixed(text: str) -> Detail:
    return lambda _: text


class Kind(NamedTuple):
    """How one sort of error is answered."""

    status: int
    name: str
    title: str
    detail: Detail = _itself
    """What is said of it. An error's own message, unless that could tell strangers of our machines."""
    retry_after: int | None = None


class Refused(Exception):
    """A request that comes no further than the gate, or a route that refuses by a rule of HTTP's own."""

    def __init__(self, kind: Kind, detail: str | None = None, **headers: str) -> None:
        super().__init__(detail or kind.title)
        self.kind = kind
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


BAD_REQUEST = Kind(400, "bad-request", "The request cannot be read")
NOT_AUTHENTICATED = Kind(401, "not-authenticated", "Credentials are needed")
FORBIDDEN = Kind(403, "not-allowed", "These credentials may not do this")
CROSS_SITE = Kind(403, "cross-site", "The request did not come from our own page")
NOT_FOUND = Kind(404, "not-found", "There is nothing here")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "Nothing here answers to this method")
NOT_ACCEPTABLE = Kind(406, "not-acceptable", "None of the accepted formats is available")
TIMED_OUT = Kind(408, "request-timed-out", "The request did not arrive in time")
TOO_LARGE = Kind(413, "too-large", "The body is too large")
URL_TOO_LONG = Kind(414, "url-too-long", "The address is too long")
UNSUPPORTED = Kind(415, "unsupported-media-type", "The body has to be JSON")
MISDIRECTED = Kind(421, "unknown-host", "This server does not answer to that host name")
TOO_MANY = Kind(429, "too-many-requests", "Too many requests")
HEADERS_TOO_LARGE = Kind(431, "headers-too-large", "The headers are too large")
INTERNAL = Kind(500, "internal", "Something went wrong here", _fixed("It is in the log of the server."))
OVERLOADED = Kind(503, "overloaded", "Too much is going on", retry_after=1)
TOO_SLOW = Kind(503, "too-slow", "The answer took too long", retry_after=RETRY_AFTER)

_AWAY = "a database does not answer; nothing was changed, or exactly what was asked: ask again"

TABLE: dict[type[Exception], Kind] = {
    errors.NotAuthenticated: NOT_AUTHENTICATED,
    errors.NotAllowed: FORBIDDEN,
    errors.RunNotFound: Kind(404, "run-not-found", "There is no such run"),
    errors.PipelineNotFound: Kind(404, "pipeline-not-found", "There is no such pipeline"),
    errors.ReportNotFound: Kind(404, "report-not-found", "There is no such report"),
    errors.IncidentNotFound: Kind(404, "incident-not-found", "There is no such incident"),
    errors.IncidentOver: Kind(409, "incident-over", "The incident is over"),
    errors.SnoozeRefused: Kind(409, "snooze-refused", "The incident cannot be put off so"),
    errors.TokenNotFound: Kind(404, "token-not-found", "There is no such token"),
    errors.NotConfigured: Kind(404, "not-configured", "This is not configured here"),
    errors.BadParameters: Kind(422, "bad-parameters", "The parameters do not fit the pipeline"),
    errors.BadRequestKey: Kind(400, "bad-idempotency-key", "The Idempotency-Key cannot be used"),
    errors.KeyReused: Kind(409, "key-reused", "The Idempotency-Key is another request's"),
    errors.AmbiguousRun: Kind(409, "ambiguous-run", "Several runs are meant"),
    errors.IllegalTransition: Kind(409, "conflict", "The run is in no state for this"),
    errors.CancelRefused: Kind(409, "cancel-refused", "The run has ended"),
    errors.RetryRefused: Kind(409, "retry-refused", "The run cannot be retried"),
    errors.NotPaused: Kind(409, "not-paused", "The pipeline is not paused"),
    errors.PauseRefused: Kind(409, "pause-refused", "The pipeline cannot be paused so"),
    errors.PipelineBusy: Kind(409, "pipeline-busy", "Another run is at work"),
    errors.RunClosed: Kind(409, "run-closed", "The run is over"),
    errors.RunMismatch: Kind(409, "run-mismatch", "The run is another"),
    errors.VersionNotKept: Kind(409, "version-not-kept", "The version is not kept"),
    errors.BadRowQuery: Kind(400, "bad-row-query", "The question does not fit the report"),
    errors.BadCursor: Kind(400, "bad-cursor", "The cursor is none of this question's"),
    errors.RunDidNotPublish: Kind(404, "run-did-not-publish", "The run has not published this report"),
    errors.VersionGone: Kind(410, "version-gone", "The version is not kept any more"),
    errors.TooManyRows: Kind(422, "too-many-rows", "There are more rows than one download may have"),
    errors.TookTooLong: Kind(503, "took-too-long", "The question took too long", retry_after=RETRY_AFTER),
    errors.RollbackRefused: Kind(409, "rollback-refused", "The report keeps nothing to go back to"),
    errors.LaunchRefused: Kind(
        503, "launch-refused", "No supervisor could be started", _fixed("no supervisor could be started"), RETRY_AFTER
    ),
    errors.CommitUnknown: Kind(
        503, "outcome-unknown", "Whether it was done is not known yet", _fixed(_AWAY), RETRY_AFTER
    ),
    errors.DatabaseUnavailable: Kind(503, "database-away", "A database does not answer", _fixed(_AWAY), RETRY_AFTER),
    errors.IdentityProviderUnavailable: Kind(
        503,
        "identity-provider-away",
        "The identity provider does not answer",
        _fixed("its keys cannot be had, so nobody's token can be judged"),
        RETRY_AFTER,
    ),
    errors.DatabaseRefused: Kind(
        503, "database-refused", "A database refuses us", _fixed("it is in the log of the server"), RETRY_AFTER
    ),
    errors.SchemaMismatch: Kind(
        503, "schema-mismatch", "A database has another schema", _fixed("run `kubescribe migrate`"), RETRY_AFTER
    ),
}


def kind_of(error: Exception) -> Kind:
    """How an error is answered; what is in no table is our own mistake."""
    if isinstance(error, Refused):
        return error.kind
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)


def problem(error: Exception) -> ProblemView:
    """What is said of an error."""
    kind = kind_of(error)
    detail = error.detail if isinstance(error, Refused) else kind.detail(error)
    problems = error.problems if isinstance(error, errors.BadParameters) else None
    return ProblemView(kind=URN + kind.name, title=kind.title, status=kind.status, detail=detail, errors=problems)


def headers_of(error: Exception) -> dict[str, str]:
    """The headers that go with it."""
    kind = kind_of(error)
    headers = dict(error.headers) if isinstance(error, Refused) else {}
    if kind.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="kubescribe"'
    if kind.retry_after is not None:
        headers.setdefault("Retry-After", str(kind.retry_after))
    return headers


def encoded(error: Exception) -> bytes:
    """The body."""
    return msgspec.json.encode(problem(error))
