"""The Idempotency-Key of a request: a caller who got no answer asks again, and gets the same run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from .errors import BadRequestKey
from .storable import storable

KEPT = timedelta(days=7)
"""How long a key names its run. Afterwards the same key is a new one, and makes a new run."""

LONGEST = 255


class RequestKey(msgspec.Struct, frozen=True):
    """A key, with what was asked under it."""

    key: str
    digest: str
    """SHA-256 of the request in canonical JSON, as hex digits: equal for equal requests."""

    @classmethod
    def of(cls, key: str, request: Mapping[str, Any]) -> RequestKey:
        """The key of this request; raises :class:`BadRequestKey` for one that cannot be kept."""
        if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
            raise BadRequestKey(f"it has to be 1 to {LONGEST} printable ASCII characters")
        # As it is kept, so that what cannot be told apart in the record is not told apart here.
        canonical = msgspec.json.encode(storable(dict(request)), order="sorted")
        return cls(key, hashlib.sha256(canonical).hexdigest())
