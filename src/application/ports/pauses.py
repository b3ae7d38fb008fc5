"""Which pipelines are paused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from ...domain.pause import PassedOver, Pause
from ...domain.tenant import DEFAULT_TENANT, Tenant


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A pause that has ended."""

    pause: Pause
    passed_over: PassedOver


Count = Callable[[Pause, datetime], PassedOver]
"""Given a pause and the database's clock: the slots that it has let go by."""


class Pauses(Protocol):
    """One pause at most for a pipeline of a tenant. Each change writes its event in the same transaction.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when RunLog is away.
    """

    async def pause(
        self,
        pipeline: str,
        *,
        actor: str,
        reason: str | None = None,
        until: datetime | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Pause:
        """Pause it from now by the database's clock; of one that is paused already, change all but ``since``.
        ``method``: how it was asked for, as in the event; so below.

        Raises :class:`PauseRefused` where ``until`` is not in the future.
        """
        ...

    async def resume(
        self,
        pipeline: str,
        count: Count,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Resumed:
        """End its pause, with the slots passed over in the event; raises :class:`NotPaused`.

        A pause whose end has passed is ended so too: until then its slots are not on record.
        """
        ...

    async def current(self, pipeline: str, *, tenant: Tenant = DEFAULT_TENANT) -> Pause | None:
        """The pause that holds now, if there is one."""
        ...

    async def holding(self, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Pause, ...]:
        """All pauses of a tenant that hold now, by pipeline."""
        ...

    async def over(self) -> tuple[Pause, ...]:
        """The pauses of all tenants whose end has passed, and that nobody has ended yet."""
        ...
