"""Query and path parameters that several routes take."""

from __future__ import annotations

from typing import Annotated
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
