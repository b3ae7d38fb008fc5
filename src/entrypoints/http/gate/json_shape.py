"""Whether a JSON body is safe to decode: not too deep, and of characters that can be kept."""

from __future__ import annotations

import re

from ..problems import BAD_REQUEST, Refused

DEPTH_LIMIT = 32
_QUOTE = ord('"')

# Strings as a whole, so that a bracket in one counts for nothing. Possessive by construction: no backtracking.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]|[0-9][0-9.eE+-]{64,}', re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_json(body: bytes) -> None:
    """Raise :class:`Refused` for what is no UTF-8, holds a NUL or an endless number, or nests too deep.

    Whether it is JSON at all is seen when it is decoded.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Refused(BAD_REQUEST, "the body is not UTF-8") from None
    if b"\0" in body or (b"\\u0000" in body and _NUL.search(body)):
        raise Refused(BAD_REQUEST, "the body holds a NUL character")
    depth = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise Refused(BAD_REQUEST, f"the body nests deeper than {DEPTH_LIMIT}")
        elif first in b"]}":
            depth -= 1
        elif first != _QUOTE:
            raise Refused(BAD_REQUEST, "a number has more than 64 characters")
