"""Every route of the API with its methods, taken from the application itself."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from kubescribe.entrypoints.http.app import litestar
from kubescribe.entrypoints.http.gate.gate import OPEN
from kubescribe.entrypoints.http.services import Services

MISSING_RUN = UUID(int=0xDEAD)


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    """With templates: ``/runs/{run_id}``."""
    needs: object
    """What its ``opt`` says."""

    @property
    def open(self) -> bool:
        return self.method in OPEN.get(self.path.encode(), ())

    def at(self, run: UUID = MISSING_RUN, name: str = "totals") -> str:
        """The path of one thing."""
        filled = self.path
        for part in filled.split("/"):
            if part.startswith("{"):
                filled = filled.replace(part, str(run) if "run" in part else "1" if "number" in part else name)
        return filled


def routes(services: Services) -> list[Route]:
    """All of them but OPTIONS, which Litestar adds to each path."""
    app: Litestar = litestar(services)
    found = []
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path} is no HTTP route, and nothing else has been thought of"
        for handler in route.route_handlers:
            assert isinstance(handler, HTTPRouteHandler)
            methods = sorted(handler.http_methods)
            found += [Route(m, route.path_format, handler.opt.get("needs")) for m in methods if m != "OPTIONS"]
    return found


def body_of(route: Route) -> dict[str, object] | None:
    """A body that the route takes."""
    bodies: dict[str, dict[str, object]] = {"/runs/trigger": {"pipeline": "totals"}, "/sign-in": {"code": "x" * 43}}
    return bodies.get(route.path, {}) if route.method == "POST" else None
