"""Percent-encoding as libpq reads it (RFC 3986, UTF-8; a plus sign is a plus sign).

Not ``urllib.parse``: its ``unquote`` lets a stray ``%`` and broken UTF-8 pass in silence, which turns a mistyped
password into another password. Being small also keeps the supervisor's start quick.
"""

from __future__ import annotations

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEX = frozenset("0123456789abcdefABCDEF")


def percent_encode(text: str) -> str:
    """Every byte that is not unreserved as ``%XX``, so the result may stand in any part of a URL."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def percent_decode(text: str) -> str:
    """The text that was meant, or ``ValueError`` with a sentence that does not quote it (it may be a password)."""
    first, *rest = text.split("%")
    decoded = bytearray(first.encode())
    for part in rest:
        digits = part[:2]
        if len(digits) < 2 or not _HEX.issuperset(digits):
            raise ValueError("a % is not followed by two hexadecimal digits (a % itself is written %25)")
        decoded.append(int(digits, 16))
        decoded += part[2:].encode()
    if 0 in decoded:
        raise ValueError("%00 cannot be sent to PostgreSQL")
    try:
        return decoded.decode()
    except UnicodeDecodeError:
        # The original error carries the bytes: they must not travel as its cause.
        raise ValueError("a percent-encoded character is not UTF-8") from None
