"""Where the next page of runs begins, as text that means nothing to others."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from .problems import BAD_REQUEST, Refused

_LENGTH = 8 + 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_cursor(key: tuple[datetime, UUID] | None) -> str | None:
    """The cursor of a key."""
    if key is None:
        return None
    microseconds = round((key[0] - _EPOCH).total_seconds() * 1_000_000)
    return base64.urlsafe_b64encode(microseconds.to_bytes(8, "big", signed=True) + key[1].bytes).decode()


def decode_cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """The key of a cursor; raises :class:`Refused` for what is none."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        if len(raw) != _LENGTH:
            raise ValueError
        microseconds = int.from_bytes(raw[:8], "big", signed=True)
        at = datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)
    except (ValueError, OverflowError, OSError, binascii.Error, UnicodeEncodeError):
        raise Refused(BAD_REQUEST, "cursor is not one of ours; take `next` of a page") from None
    return at, UUID(bytes=raw[8:])
