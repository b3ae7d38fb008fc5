"""Reading a request's body whole, within limits of size and time, before anybody looks at it."""

from __future__ import annotations

import asyncio

from litestar.types import HTTPScope, Receive, ReceiveMessage

from ..problems import BAD_REQUEST, TIMED_OUT, TOO_LARGE, UNSUPPORTED, Refused
from .json_shape import check_json
from .request_shape import header

BODY_LIMIT = 1_048_576
"""Bytes."""
BODY_TIMEOUT = 20.0
"""Seconds from the end of the headers to the end of the body."""
STRANGERS_LIMIT, STRANGERS_TIMEOUT = 4_096, 5.0
"""The same for whoever shows no credentials: all that they may send is the code of a sign-in link."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole: there is nobody to answer."""


async def read_body(scope: HTTPScope, receive: Receive, *, stranger: bool = False) -> bytes:
    """The body; raises :class:`Refused` for one that is too large, too slow, no JSON, or not safe to decode."""
    limit, seconds = (STRANGERS_LIMIT, STRANGERS_TIMEOUT) if stranger else (BODY_LIMIT, BODY_TIMEOUT)
    length = header(scope, b"content-length")
    if length:
        if not (length.isascii() and length.isdigit()):
            raise Refused(BAD_REQUEST, "the header content-length is no number")
        if len(length) > 18 or int(length) > limit:
            raise Refused(TOO_LARGE, f"at most {limit} bytes", Connection="close")
    try:
        async with asyncio.timeout(seconds):
            body = await _read(receive, limit)
    except TimeoutError:
        raise Refused(TIMED_OUT, f"the body took longer than {seconds:g} s", Connection="close") from None
    if body:
        kind = header(scope, b"content-type").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(UNSUPPORTED, "send it as application/json")
        check_json(body)
    return body


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if message["type"] == "http.request":
            body += message.get("body", b"")
            if len(body) > limit:
                raise Refused(TOO_LARGE, f"at most {limit} bytes", Connection="close")
            if not message.get("more_body", False):
                return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body over once; then what the connection says further."""
    told = False

    async def again() -> ReceiveMessage:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
