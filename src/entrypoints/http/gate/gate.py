"""The gate: an ASGI application around the API's own. Nobody passes by default."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from ....application.authenticate import Authenticate
from ....application.ports.clock import Clock
from ....domain.errors import KubescribeError, NotAuthenticated
from ....domain.principal import Principal
from ...api_settings import ApiSettings
from ..problems import INTERNAL, OVERLOADED, TOO_SLOW, Refused, kind_of
from .body import ClientGone, read_body, replay
from .credentials import credentials_of
from .origin import SAFE, check_origin, check_session_request
from .peer import Peer, peer_of
from .rate import Rate
from .request_shape import check_host, check_shape, raw_path
from .response import Response
from .under_way import UnderWay

if TYPE_CHECKING:
    from asyncio import Timeout

OPEN: dict[bytes, frozenset[str]] = {
    b"/healthz": frozenset({"GET"}),
    b"/readyz": frozenset({"GET"}),
    b"/sign-in": frozenset({"GET", "POST"}),
    b"/sign-in.js": frozenset({"GET"}),
}
"""What needs no credentials: whole paths as they are sent, byte for byte, and the methods."""
PROBES = (b"/healthz", b"/readyz")
"""Kubernetes asks these by the pod's address, which no setting knows."""

ANSWER_TIMEOUT = 30.0
"""Seconds from a whole request to the beginning of its answer."""
STRANGERS_RATE = 20
"""Requests a second from one address without credentials that are known to be good."""
MOST_REQUESTS = 500
"""At once; beyond that the answer is 503."""

logger = logging.getLogger("kubescribe.api")


class Observer(Protocol):
    """Counts requests."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; ``route`` is the path's template, or empty where it was none of ours."""
        ...


class Gate:
    """Checks shape and host, finds out who asks, holds them to their rate, reads the body; then asks the app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticate: Authenticate,
        settings: ApiSettings,
        clock: Clock,
        observer: Observer | None = None,
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._settings = settings
        self._hosts = frozenset(settings.hosts)
        self._clock = clock
        self._rate = Rate(settings.rate, clock)
        self._strangers = Rate(STRANGERS_RATE, clock)
        self._observer = observer
        self._under_way = 0
        self._of_one = UnderWay()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request."""
        kind: str = scope["type"]  # "lifespan" too, which Litestar's type does not tell
        if kind == "http":
            await self._http(cast(HTTPScope, scope), receive, send)
        elif kind == "websocket":  # there is none, and nobody needs to know more
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = self._clock.monotonic()
        peer = peer_of(scope, self._settings.proxies)
        scope["scheme"] = peer.scheme
        response = Response(send, peer.scheme)
        self._under_way += 1
        try:
            await self._serve(scope, receive, response, peer)
        except ClientGone:
            return
        except KubescribeError as error:
            _note(error, scope)
            await response.refuse(error)
        except Refused as error:
            await response.refuse(error)
        except TimeoutError:
            logger.warning("%s: a client took nothing of its answer for too long", _route(scope))
        except Exception as error:
            logger.exception("%s %s failed", scope["method"], _route(scope))
            await response.refuse(error)
        finally:
            self._under_way -= 1
            if self._observer is not None and response.status is not None:
                seconds = self._clock.monotonic() - began
                self._observer.answered(scope["method"], _route(scope), response.status, seconds)

    async def _serve(self, scope: HTTPScope, receive: Receive, response: Response, peer: Peer) -> None:
        path = raw_path(scope)
        if self._under_way > MOST_REQUESTS and path not in PROBES:
            raise Refused(OVERLOADED)  # Kubernetes would take a process that is busy for a dead one
        check_shape(scope)
        if path not in PROBES:
            check_host(scope, self._hosts)
        principal = await self._principal(scope, peer, path)
        if principal is not None:
            self._rate.take(principal.actor)
            scope["user"] = principal
        if path in PROBES:
            await self._ask(scope, receive, response, stranger=True)
            return
        with self._of_one.of(peer.address if principal is None else principal.actor):
            await self._ask(scope, receive, response, stranger=principal is None)

    async def _ask(self, scope: HTTPScope, receive: Receive, response: Response, *, stranger: bool) -> None:
        body = b"" if scope["method"] in SAFE else await read_body(scope, receive, stranger=stranger)
        timeout = asyncio.timeout(ANSWER_TIMEOUT)
        try:
            async with timeout:
                response.on_start = _stop(timeout)  # a stream may go on
                await self._app(scope, replay(body, receive), response.send)
        except TimeoutError:
            if not timeout.expired():
                raise
            raise Refused(TOO_SLOW) from None

    async def _principal(self, scope: HTTPScope, peer: Peer, path: bytes) -> Principal | None:
        """Who asks; None on an open path. Raises :class:`NotAuthenticated` for everybody else."""
        if scope["method"] in OPEN.get(path, ()):
            if path not in PROBES:
                self._strangers.take(peer.address)
                check_origin(scope, peer, required=False)
            return None
        try:
            given = credentials_of(scope)
            used = given.session if given.bearer is None else given.bearer
            remembered = used is not None and self._authenticate.remembers(used)
            if not remembered:
                self._strangers.take(peer.address)
            principal = await self._authenticate(*given)
            if not remembered:  # and no stranger: many who are known may come from one address, or by one proxy
                self._strangers.give_back(peer.address)
        except NotAuthenticated as error:
            logger.info("a request from %s is not authenticated: %s", peer.address, error.why)
            raise
        if given.session is not None:  # also beside a bearer token: who sends a cookie may be a page
            check_session_request(scope, peer, given.session)
        return principal


def _stop(timeout: Timeout) -> Callable[[], None]:
    def stop() -> None:
        if not timeout.expired():  # else what begins is our own word that it took too long
            timeout.reschedule(None)

    return stop


def _route(scope: HTTPScope) -> str:
    """The route's template. What was asked for instead may hold anything, and goes into no log and no metric."""
    return str(scope.get("path_template") or "")


def _note(error: KubescribeError, scope: HTTPScope) -> None:
    kind = kind_of(error)
    if kind.status >= 500 or kind is INTERNAL:
        logger.warning("%s %s: %s", scope["method"], _route(scope), error)
