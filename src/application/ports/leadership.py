"""Which of several processes does what one of them is enough for."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Leadership(Protocol):
    """One lease for each name, by the database's clock. Raises ``DatabaseUnavailable``.

    An economy, no safety: a holder that was stopped may wake and go on beside its successor for a moment.
    """

    async def hold(self, name: str, holder: UUID, *, seconds: float) -> bool:
        """Take or renew the lease for so long from now; False while another holds it."""
        ...

    async def leave(self, name: str, holder: UUID) -> None:
        """Give the lease back at once; nothing where another holds it."""
        ...
