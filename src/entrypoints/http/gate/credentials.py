"""Credentials, out of the headers."""

from __future__ import annotations

from typing import NamedTuple

from litestar.types import HTTPScope

from ....domain.errors import NotAuthenticated
from .request_shape import header

COOKIE = "ks_session"


class Credentials(NamedTuple):
    """What a request shows; never printed."""

    bearer: str | None
    session: str | None


def credentials_of(scope: HTTPScope) -> Credentials:
    """The credentials of a request; raises :class:`NotAuthenticated` for an Authorization header of another kind."""
    authorization, bearer = header(scope, b"authorization"), None
    if authorization:
        scheme, _, bearer = authorization.partition(" ")
        bearer = bearer.strip()
        if scheme.lower() != "bearer" or not bearer or " " in bearer:
            raise NotAuthenticated("the Authorization header holds no bearer token")
    return Credentials(bearer, session_cookie(scope))


def session_cookie(scope: HTTPScope) -> str | None:
    """The session's secret. A second cookie of the name is somebody's trick: then there is none."""
    values = []
    for name, value in scope["headers"]:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, given = pair.strip().partition("=")
                if key == COOKIE:
                    values.append(given)
    return values[0] if len(values) == 1 else None
