"""What a route needs, said beside the route; a route that says nothing is nobody's."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ...domain.access import Scope
from ...domain.principal import Principal
from .gate.gate import OPEN
from .problems import FORBIDDEN, Refused

_KEY = "needs"
ANYBODY_KNOWN = "anybody who is known"
NOBODY = "nobody in particular"


def needs(scope: Scope) -> dict[str, Any]:
    """``opt`` of a route that needs this scope."""
    return {_KEY: scope}


def known() -> dict[str, Any]:
    """``opt`` of a route for whoever has credentials."""
    return {_KEY: ANYBODY_KNOWN}


def open_to_all() -> dict[str, Any]:
    """``opt`` of a route that the gate lets everybody to (a path of ``OPEN``)."""
    return {_KEY: NOBODY}


def authorise(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard of every route: refuses by default. Raises :class:`NotAllowed` or :class:`Refused`."""
    wanted = handler.opt.get(_KEY)
    if wanted == NOBODY:
        if connection.scope["path"].encode() in OPEN:
            return
    elif "user" in connection.scope:
        principal: Principal = connection.scope["user"]
        if isinstance(wanted, Scope):
            principal.require(wanted)
            return
        # OPTIONS routes are Litestar's own, and tell no more than the document does.
        if wanted == ANYBODY_KNOWN or connection.scope.get("method") == "OPTIONS":
            return
    raise Refused(FORBIDDEN, "nobody has said who may use this route")
