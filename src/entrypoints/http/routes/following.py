"""Whether somebody who follows may go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..gate.credentials import credentials_of
from ..services import Services
from .parameters import Asking


def still_allowed(request: Asking, services: Services) -> Callable[[], Awaitable[None]]:
    """Raises :class:`NotAuthenticated` once the request's credentials are worth nothing any more."""

    async def allowed() -> None:
        await services.authenticate(*credentials_of(request.scope))

    return allowed
