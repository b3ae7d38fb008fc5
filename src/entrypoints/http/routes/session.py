"""Signing in with a link, signing out, and asking who one is."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie, State
from litestar.enums import MediaType
from litestar.params import JSONBody

from ....domain.principal import Method
from ....domain.web_session import SESSION_LIFETIME, csrf_token
from ..documented import BODY, problems
from ..gate.credentials import COOKIE, session_cookie
from ..gate.response import PAGE_POLICY
from ..guard import known, open_to_all
from ..pages import page
from ..telling import asked_by
from ..views.session import PrincipalView, SignInRequest
from .parameters import Asking, Use

_TAG = ["session"]


@get("/sign-in", opt=open_to_all(), include_in_schema=False, media_type=MediaType.HTML)
async def sign_in_page() -> Response[bytes]:
    """The page that a sign-in link opens. The code is in the link's fragment, which browsers send to nobody."""
    return Response(page("sign_in.html"), media_type=MediaType.HTML, headers={"Content-Security-Policy": PAGE_POLICY})


@get("/sign-in.js", opt=open_to_all(), include_in_schema=False, media_type="text/javascript")
async def sign_in_script() -> Response[bytes]:
    """What the page does: it sends the code."""
    return Response(page("sign_in.js"), media_type="text/javascript")


@post(
    "/sign-in",
    opt=open_to_all(),
    tags=_TAG,
    summary="Begin a session with a link's code",
    responses=problems(*BODY),
    status_code=200,
)
async def sign_in(
    request: Request[Any, Any, State], services: Use, data: JSONBody[SignInRequest]
) -> Response[PrincipalView]:
    """Once for each code: the answer sets the session's cookie."""
    signed_in = await services.sign_in.redeem(data.code, method=asked_by(request))
    cookie = Cookie(
        key=COOKIE,
        value=signed_in.secret,
        max_age=int(SESSION_LIFETIME),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    view = PrincipalView.of(signed_in.session.principal(), csrf_token(signed_in.secret))
    return Response(view, cookies=[cookie])


@get("/session", opt=known(), tags=_TAG, summary="Who am I?", responses=problems())
async def show_session(request: Asking) -> PrincipalView:
    """Who asks, what they may do and, in a session, its CSRF token."""
    secret = session_cookie(request.scope)
    in_session = request.user.method is Method.SESSION and secret is not None
    return PrincipalView.of(request.user, csrf_token(secret) if in_session and secret else None)


@delete("/session", opt=known(), tags=_TAG, summary="End the session", responses=problems(*BODY))
async def sign_out(request: Asking, services: Use) -> None:
    """The cookie is worth nothing any more; nothing happens without a session."""
    secret = session_cookie(request.scope)
    if secret is not None and request.user.method is Method.SESSION:
        await services.sign_in.end(secret, method=asked_by(request))
        services.authenticate.forget(secret)
