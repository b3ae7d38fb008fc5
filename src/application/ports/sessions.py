"""A run's sessions in a database that it works on."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec


class SessionState(StrEnum):
    """What is known of a run's sessions."""

    GONE = "gone"
    """They were looked for, and none is there."""

    LEFT = "left"
    """Some are there, and could not be ended."""

    UNVERIFIED = "unverified"
    """They could not be looked for."""


class SessionCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    database: str
    """``production`` or ``report``."""
    state: SessionState
    detail: str = ""
    """For people: how many, or why nobody could look."""


class Sessions(Protocol):
    """The sessions of one database, known by their ``application_name``: ``ks:<run id>:<attempt id>``."""

    async def end(self, run_id: UUID) -> SessionCheck:
        """End what is left of the run's sessions, and look again. Sessions of others are left alone.

        Never raises: a database that does not answer, or lets nobody look, is UNVERIFIED.
        """
        ...
