"""Query and path parameters that several routes take."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar.connection import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation

from ....domain.principal import Principal
from ..services import Services

PAGE_LIMIT = 500
NAME_LENGTH = 200

Asking = Request[Principal, None, State]
"""A request that has passed the gate with credentials."""
Use = NamedDependency[SkipValidation[Services]]

RunId = Annotated[UUID, PathParameter(description="A run's id.")]
Name = Annotated[str, PathParameter(description="A name.", min_length=1, max_length=NAME_LENGTH)]
Limit = Annotated[int, QueryParameter(description="Items on a page.", ge=1, le=PAGE_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before.", max_length=1000)]


def asked_by(request: Request[Any, Any, State]) -> str:
    """How something was asked for, as it is in an event: the method and the route's template."""
    return f"{request.method} {request.scope['path_template']}"
