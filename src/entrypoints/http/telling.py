"""What the log says of requests: a line for each change, with who asked for it and the run that it is about."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import State

from ...domain.principal import Principal
from ..log_lines import bound

logger = logging.getLogger("kubescribe.api")


def asked_by(request: Request[Any, Any, State]) -> str:
    """How something was asked for, as it is in an event: the method and the route's template."""
    return f"{request.method} {request.scope['path_template']}"


def about(request: Request[Any, Any, State]) -> dict[str, object]:
    """The run that the path names, to be bound to lines of the log."""
    run_id = request.path_params.get("run_id")
    return {} if run_id is None else {"run_id": run_id}


def tell(request: Request[Principal, Any, State], run_id: UUID | None = None) -> None:
    """Log a change that was made. Whatever else was sent along may hold anything, and is in the audit."""
    with bound(**about(request) if run_id is None else {"run_id": run_id}):
        logger.info("%s by %s", asked_by(request), request.user.actor)
