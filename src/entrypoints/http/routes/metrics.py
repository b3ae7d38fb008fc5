"""For Prometheus."""

from __future__ import annotations

from litestar import Response, get

from ....domain.access import Scope
from ..documented import problems
from ..guard import needs
from .parameters import Asking, Use

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@get(
    "/metrics",
    opt=needs(Scope.METRICS_READ),
    tags=["health"],
    summary="Figures, in Prometheus's text format",
    media_type="text/plain",
    responses=problems(),
)
async def metrics(request: Asking, services: Use) -> Response[str]:
    """Those of the tenant's runs, and those of this process; nothing of another tenant."""
    return Response(await services.metrics(request.user.tenant), media_type=MEDIA_TYPE)
