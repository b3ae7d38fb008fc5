"""The operating system's randomness."""

from __future__ import annotations

import secrets


class SystemRandomness:
    """:class:`~kubescribe.application.ports.randomness.Randomness` of the operating system."""

    def secret(self, size: int) -> bytes:
        """See the port."""
        return secrets.token_bytes(size)
