"""Whether a request that changes something came from our own page: cookies are sent along by any page."""

from __future__ import annotations

from litestar.types import HTTPScope

from ....application.authenticate import csrf_fits
from ..problems import CROSS_SITE, Refused
from .peer import Peer
from .request_shape import header

SAFE = ("GET", "HEAD", "OPTIONS")


def check_session_request(scope: HTTPScope, peer: Peer, secret: str) -> None:
    """Raise :class:`Refused` unless a request with a session's cookie is safe, or shows where it comes from."""
    if scope["method"] in SAFE:
        return
    check_origin(scope, peer, required=True)
    if not csrf_fits(secret, header(scope, b"x-csrf-token")):
        raise Refused(CROSS_SITE, "the header X-CSRF-Token does not fit the session; GET /session says what it is")


def check_origin(scope: HTTPScope, peer: Peer, *, required: bool) -> None:
    """Raise :class:`Refused` where the Origin header names another site, or, if ``required``, where there is none."""
    origin = header(scope, b"origin")
    if not origin and not required:
        return
    if origin.lower() != f"{peer.scheme}://{header(scope, b'host').lower()}":
        why = "the Origin header is not this server's own; name a proxy that speaks https in KUBESCRIBE_API_PROXIES"
        raise Refused(CROSS_SITE, why)
