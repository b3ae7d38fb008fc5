"""The OpenAPI document: Litestar's, with what it leaves out."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from .gate.credentials import COOKIE
from .gate.gate import OPEN
from .routes.report_rows import FORMATS
from .streams import MEDIA_TYPE
from .views.act import ReasonView
from .views.pause import PauseRequest
from .views.report import RollbackRequest
from .views.session import SignInRequest
from .views.trigger import TriggerView

_FORMATS = {
    "/runs/{run_id}/events": (MEDIA_TYPE,),
    "/reports/{name}/rows": tuple(media_type for media_type, kind in FORMATS.items() if kind is not None),
    "/runs/{run_id}/logs": ("text/plain", "application/x-ndjson", MEDIA_TYPE),
}
"""What is answered beside JSON."""
CLOSED: tuple[type[msgspec.Struct], ...] = (
    TriggerView,
    ReasonView,
    PauseRequest,
    RollbackRequest,
    SignInRequest,
)
"""Bodies that may hold nothing else."""

_ABOUT = (
    "Trigger runs, look at them, cancel and retry them, browse reports. Errors are RFC 9457 problem details. "
    "Everything but health and sign-in needs a bearer token (`kubescribe token create`) or a session."
)


def openapi_config(version: str) -> OpenAPIConfig:
    """What Litestar makes its document of."""
    return OpenAPIConfig(
        title="KubeScribe",
        version=version,
        description=_ABOUT,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", description="`ks_…`, or an identity provider's"),
                "session": SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
            }
        ),
        security=[{"token": []}, {"session": []}],
        path="/openapi",
        render_plugins=(),
    )


def document(app: Litestar) -> bytes:
    """The document as JSON."""
    made: dict[str, Any] = app.openapi_schema.to_schema()
    for path, formats in _FORMATS.items():
        content = made["paths"][path]["get"]["responses"]["200"]["content"]
        content |= {media_type: {"schema": {"type": "string"}} for media_type in formats}
    for open_path, methods in OPEN.items():
        for method in methods:
            operation = made["paths"].get(open_path.decode(), {}).get(method.lower())
            if operation is not None:
                operation["security"] = []
    for view in CLOSED:
        made["components"]["schemas"][view.__name__]["additionalProperties"] = False
    return msgspec.json.encode(made, order="deterministic")
