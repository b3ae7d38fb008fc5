"""The OpenAPI document: Litestar's, with what it leaves out."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from .gate.credentials import COOKIE

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
    return msgspec.json.encode(made)
