"""The API's application: Litestar's routes behind the gate."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import version
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from ...domain.errors import KubescribeError
from ..api_settings import ApiSettings
from ..log_lines import bound
from . import problems
from .document import document, openapi_config
from .gate.gate import Gate, Observer
from .guard import authorise
from .problems import Kind, Refused, encoded, headers_of, kind_of
from .routes.explain import Explain
from .routes.health import healthz, readyz
from .routes.incidents import Incidents, PipelinePromises
from .routes.metrics import metrics
from .routes.pipelines import Pipelines
from .routes.report_rows import report_rows
from .routes.reports import Reports
from .routes.run_acts import cancel, retry
from .routes.run_events import run_events
from .routes.run_logs import run_logs
from .routes.runs import Runs
from .routes.schema import schema, schema_page, schema_script, swagger_script, swagger_style
from .routes.session import show_session, sign_in, sign_in_page, sign_in_script, sign_out
from .routes.slots import AllSlots, PipelineSlots
from .routes.trigger import trigger
from .services import Services
from .telling import about
from .views.problem import MEDIA_TYPE

logger = logging.getLogger("kubescribe.api")

ROUTES: tuple[ControllerRouterHandler, ...] = (
    healthz,
    readyz,
    metrics,
    Runs,
    run_events,
    run_logs,
    Explain,
    trigger,
    cancel,
    retry,
    Pipelines,
    PipelinePromises,
    Incidents,
    AllSlots,
    PipelineSlots,
    Reports,
    report_rows,
    sign_in_page,
    sign_in_script,
    sign_in,
    show_session,
    sign_out,
    schema,
    schema_page,
    schema_script,
    swagger_script,
    swagger_style,
)

_OF_LITESTAR: dict[int, Kind] = {
    kind.status: kind
    for kind in (
        problems.BAD_REQUEST,
        problems.NOT_FOUND,
        problems.METHOD_NOT_ALLOWED,
        problems.NOT_ACCEPTABLE,
        problems.TOO_LARGE,
        problems.UNSUPPORTED,
    )
}


def api(services: Services, settings: ApiSettings, *, observer: Observer | None = None) -> Gate:
    """The whole application. It opens nothing and starts nothing."""
    app = litestar(services)
    app.state.document = openapi_document()
    return Gate(
        app,
        authenticate=services.authenticate,
        settings=settings,
        clock=services.clock,
        observer=observer,
    )


@cache
def openapi_document() -> bytes:
    """The document. Of an app of its own, which is thrown away: the one that serves has no routes but ours."""
    return document(litestar(None, openapi_config(version("kubescribe"))))


def litestar(services: Services | None, config: OpenAPIConfig | None = None) -> Litestar:
    """The routes alone: every request has passed the gate."""
    return Litestar(
        route_handlers=ROUTES,
        guards=[authorise],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        exception_handlers={
            HTTPException: _of_litestar,
            KubescribeError: _answer,
            Refused: _answer,
            Exception: _unexpected,
        },
        openapi_config=config,
        logging_config=None,
        debug=False,
    )


def _answer(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    kind = kind_of(error)
    if kind.status >= 500:
        with bound(**about(request)):
            logger.warning("%s %s: %s", request.method, request.scope.get("path_template", ""), error)
    return Response(encoded(error), status_code=kind.status, media_type=MEDIA_TYPE, headers=headers_of(error))


def _of_litestar(request: Request[Any, Any, State], error: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses: its words name parameters, and no more."""
    kind = _OF_LITESTAR.get(error.status_code)
    if kind is None:
        return _unexpected(request, error)
    details = [f"{one.get('key', 'body')}: {one.get('message', '')}" for one in _extra(error)]
    refused = Refused(kind, "; ".join(details)[:1000] or None)
    allow = (error.headers or {}).get("Allow")
    if allow:
        refused.headers["Allow"] = allow
    return _answer(request, refused)


def _extra(error: HTTPException) -> list[dict[str, str]]:
    extra = getattr(error, "extra", None)
    return [one for one in extra if isinstance(one, dict)] if isinstance(extra, list) else []


def _unexpected(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    with bound(**about(request)):
        logger.error("%s %s failed", request.method, request.scope.get("path_template", ""), exc_info=error)
    return Response(
        encoded(Refused(problems.INTERNAL, "It is in the log of the server.")),
        status_code=problems.INTERNAL.status,
        media_type=MEDIA_TYPE,
    )
