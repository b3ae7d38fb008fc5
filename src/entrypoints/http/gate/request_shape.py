"""Whether a request line and its headers are such as no honest client would not send."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from litestar.types import HTTPScope

from ..problems import BAD_REQUEST, HEADERS_TOO_LARGE, MISDIRECTED, URL_TOO_LONG, Refused

URL_LIMIT = 8_192
"""Bytes of path and query together."""
HEADERS_LIMIT = 32_768
"""Bytes of all headers' names and values together."""
HEADERS_MOST = 100
_ONCE = (b"host", b"authorization", b"content-length", b"content-type", b"origin", b"idempotency-key", b"x-csrf-token")


def check_shape(scope: HTTPScope) -> None:
    """Raise :class:`Refused` for what is too long, sent twice, or no text."""
    path, query = raw_path(scope), scope["query_string"]
    if len(path) + len(query) > URL_LIMIT:
        raise Refused(URL_TOO_LONG, f"path and query are longer than {URL_LIMIT} bytes")
    for what, raw in (("path", path), ("query", query)):
        _check_text(what, raw)
    headers = list(scope["headers"])
    if len(headers) > HEADERS_MOST or sum(len(name) + len(value) for name, value in headers) > HEADERS_LIMIT:
        raise Refused(HEADERS_TOO_LARGE, f"more than {HEADERS_MOST} headers, or {HEADERS_LIMIT} bytes of them")
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise Refused(BAD_REQUEST, f"the header {name.decode()} is sent more than once")


def _check_text(what: str, raw: bytes) -> None:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refused(BAD_REQUEST, f"the {what} is not UTF-8") from None
    if "\0" in text:
        raise Refused(BAD_REQUEST, f"the {what} holds a NUL character")


def check_host(scope: HTTPScope, hosts: frozenset[str]) -> None:
    """Raise :class:`Refused` unless the Host header is one of ``hosts``, whatever its port: compared by equality."""
    host = header(scope, b"host").lower()
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):  # no port, or an IPv6 address without one
        name, port = host, "80"
    if name not in hosts or not (port.isascii() and port.isdigit()):
        raise Refused(MISDIRECTED, "name the host in KUBESCRIBE_API_HOSTS if it is this server's")


def raw_path(scope: HTTPScope) -> bytes:
    """The path as it was sent: nothing decoded, nothing normalised."""
    return scope.get("raw_path") or scope["path"].encode()


def header(scope: HTTPScope, wanted: bytes) -> str:
    """A header's value, empty where it is not sent."""
    return next(iter(header_lines(scope, wanted)), "")


def header_lines(scope: HTTPScope, wanted: bytes) -> list[str]:
    """A header's values, in the order in which they were sent."""
    return [value.decode("latin-1").strip() for name, value in scope["headers"] if name == wanted]
