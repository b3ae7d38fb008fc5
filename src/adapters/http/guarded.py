"""Posts to addresses that somebody else has named: looked up once, checked, and connected to as they were checked."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ...application.off_loop import off_loop
from ...application.ports.http_client import HttpAnswer
from ...domain.errors import BadSetting, PostFailed
from ...domain.reachable import NOT_ALLOWED, Reachable, Target
from ...domain.webhook_url import WebhookUrl
from .client import HEADERS, READ, read_answer, why

if TYPE_CHECKING:
    from ssl import SSLContext

Resolve = Callable[[str, int], tuple[str, ...]]
"""The addresses of a name, as numbers; raises :class:`OSError`."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """What the system says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


class GuardedHttpClient:
    """:class:`~kubescribe.application.ports.http_client.HttpClient` that reaches nothing but what is allowed.

    The name is looked up once; if any of its addresses may not be reached, nothing is. The connection goes to an
    address that was checked, with the name in TLS and in ``Host``, past any proxy: who answers otherwise the second
    time is not asked a second time. Redirects are answers like others. ``timeout``: seconds for all of it.
    """

    def __init__(
        self,
        reachable: Reachable,
        *,
        timeout: float = 10.0,
        ca_file: str | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._reachable = reachable
        self._timeout = timeout
        self._ca_file = ca_file
        self._resolve = resolve
        self._context: SSLContext | None = None

    async def post(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """See the port."""
        try:
            target = self._reachable.target(url, "the address")
            return await off_loop(lambda: self._post(target, body, headers or {}), seconds=self._timeout)
        except BadSetting as refused:
            raise PostFailed(url.shown, refused.why) from None
        except TimeoutError:
            raise PostFailed(url.shown, f"no answer within {self._timeout:g} s") from None
        except Exception as error:
            # The error's own text may hold the address.
            raise PostFailed(url.shown, why(error)) from None

    def _post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        connection = _Pinned(target, self._checked(target), self._tls(target), self._timeout)
        try:
            connection.request("POST", target.path, body, {**HEADERS, **headers, "Connection": "close"})
            answer = connection.getresponse()
            return read_answer(answer.status, answer.read(READ), answer.headers.get("Retry-After"))
        finally:
            connection.close()

    def _checked(self, target: Target) -> tuple[str, ...]:
        found = self._resolve(target.host, target.port)
        for address in found:
            # A zone (fe80::1%eth0) is part of no address that may be reached.
            if "%" in address or not self._reachable.allows(ip_address(address)):
                raise BadSetting("the address", f"{target.host} leads to {address}, which {NOT_ALLOWED}")
        return found

    def _tls(self, target: Target) -> SSLContext | None:
        if target.scheme != "https":
            return None
        if self._context is None:
            import ssl

            self._context = ssl.create_default_context(cafile=self._ca_file)
        return self._context


class _Pinned(HTTPConnection):
    """A connection to one of several addresses, under a name."""

    def __init__(self, target: Target, addresses: tuple[str, ...], context: SSLContext | None, timeout: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self.default_port = 443 if context is not None else 80
        self._addresses = addresses
        self._tls = context

    def connect(self) -> None:
        failed: OSError = OSError("the name has no address")
        for address in self._addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            opened = socket.socket(family, socket.SOCK_STREAM)
            try:
                opened.settimeout(self.timeout)
                opened.connect((address, self.port))  # a number: nobody is asked for it
                self.sock = opened if self._tls is None else self._tls.wrap_socket(opened, server_hostname=self.host)
                return
            except OSError as error:
                opened.close()
                failed = error
        raise failed
