"""The OpenAPI document, and Swagger UI on it, from files of this server alone."""

from __future__ import annotations

from litestar import Response, get
from litestar.enums import MediaType
from litestar.response import File

from ..gate.response import PAGE_POLICY
from ..guard import known
from ..pages import page
from ..problems import NOT_FOUND, Refused
from ..swagger import swagger_file
from .parameters import Asking

_CACHED = {"Cache-Control": "private, max-age=3600"}


@get("/schema", opt=known(), include_in_schema=False, media_type="application/vnd.oai.openapi+json")
async def schema(request: Asking) -> Response[bytes]:
    """The document."""
    document: bytes = request.app.state.document
    return Response(document, media_type="application/vnd.oai.openapi+json")


@get("/schema/ui", opt=known(), include_in_schema=False, media_type=MediaType.HTML)
async def schema_page() -> Response[bytes]:
    """The page."""
    return Response(page("schema.html"), media_type=MediaType.HTML, headers={"Content-Security-Policy": PAGE_POLICY})


@get("/schema/ui.js", opt=known(), include_in_schema=False, media_type="text/javascript")
async def schema_script() -> Response[bytes]:
    """What the page does."""
    return Response(page("schema.js"), media_type="text/javascript")


@get("/schema/swagger-ui.js", opt=known(), include_in_schema=False)
async def swagger_script() -> File:
    """Swagger UI."""
    return _file("swagger-ui-bundle.js", "text/javascript")


@get("/schema/swagger-ui.css", opt=known(), include_in_schema=False)
async def swagger_style() -> File:
    """Its style."""
    return _file("swagger-ui.css", "text/css")


def _file(name: str, media_type: str) -> File:
    path = swagger_file(name)
    if path is None:
        raise Refused(NOT_FOUND, "Swagger UI is not installed; the document is at /schema")
    return File(path, media_type=media_type, content_disposition_type="inline", headers=_CACHED)
