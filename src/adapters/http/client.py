"""Posts with the standard library: a few messages an hour are no reason for a dependency."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...application.off_loop import off_loop
from ...application.ports.http_client import HttpAnswer
from ...domain.errors import PostFailed
from ...domain.webhook_url import WebhookUrl

if TYPE_CHECKING:
    from ssl import SSLContext

_SHOWN = 500
READ = 4 * _SHOWN
"""Bytes of an answer that are read."""
HEADERS = {"Content-Type": "application/json", "User-Agent": "kubescribe"}
_LONGEST_WAIT = 3600.0


class StandardHttpClient:
    """:class:`~kubescribe.application.ports.http_client.HttpClient` over :mod:`urllib`, which knows the proxies.

    ``timeout``: seconds for all of it, a slow answer included. ``ca_file``: whom to trust instead of the system's.
    """

    def __init__(self, *, timeout: float = 10.0, ca_file: str | None = None) -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._open: Callable[..., Any] | None = None

    async def post(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """See the port."""
        try:
            return await off_loop(lambda: self._post(url, body, headers or {}), seconds=self._timeout)
        except TimeoutError:
            raise PostFailed(url.shown, f"no answer within {self._timeout:g} s") from None
        except Exception as error:
            # The error's own text may hold the address.
            raise PostFailed(url.shown, why(error)) from None

    def _post(self, url: WebhookUrl, body: bytes, more: Mapping[str, str]) -> HttpAnswer:
        from urllib.error import HTTPError
        from urllib.request import Request

        headers = {**HEADERS, **more}
        request = Request(url.url, data=body, headers=headers, method="POST")  # noqa: S310 - https, or loopback
        try:
            answer = self._opener()(request, timeout=self._timeout)
        except HTTPError as error:  # an answer too
            answer = error
        with answer:
            return read_answer(int(answer.status or 0), answer.read(READ), answer.headers.get("Retry-After"))

    def _opener(self) -> Callable[..., Any]:
        if self._open is None:
            import ssl
            from urllib.request import HTTPRedirectHandler, HTTPSHandler, build_opener

            class NoRedirects(HTTPRedirectHandler):
                def redirect_request(self, *_: Any, **__: Any) -> None:
                    return None

            context: SSLContext = ssl.create_default_context(cafile=self._ca_file)
            self._open = build_opener(NoRedirects, HTTPSHandler(context=context)).open
        return self._open


def read_answer(status: int, body: bytes, retry_after: str | None) -> HttpAnswer:
    """What of an answer is of interest."""
    return HttpAnswer(status=status, text=body.decode(errors="replace")[:_SHOWN], retry_after=_wait(retry_after))


def why(error: BaseException) -> str:
    """What went wrong, without the address that an error's own text may hold."""
    reason = getattr(error, "reason", None)
    error = reason if isinstance(reason, BaseException) else error
    if isinstance(error, OSError):
        return str(getattr(error, "verify_message", None) or error.strerror or type(error).__name__)
    return type(error).__name__


def _wait(text: str | None) -> float | None:
    """``Retry-After``, in seconds or as a date."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if math.isfinite(seconds) else None
