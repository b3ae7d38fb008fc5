"""A pause, and its end."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ....application.ports.pauses import Resumed
from ....domain.pause import Pause
from .trigger import Reason


class PauseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why, and until when."""

    reason: Reason | None = None
    until: datetime | None = None
    """With an offset from UTC; null: until somebody resumes it."""


class PauseView(msgspec.Struct, frozen=True, kw_only=True):
    """A pause of a pipeline's schedule."""

    pipeline: str
    actor: str
    reason: str | None
    since: datetime
    until: datetime | None

    @classmethod
    def of(cls, pause: Pause) -> PauseView:
        """The view of a pause."""
        return cls(**{name: getattr(pause, name) for name in cls.__struct_fields__})


class ResumedView(msgspec.Struct, frozen=True, kw_only=True):
    """A pause that has ended."""

    pause: PauseView
    passed_over: tuple[datetime, ...]
    """The slots that it has let go by."""
    more: bool
    """There were further ones."""

    @classmethod
    def of(cls, resumed: Resumed) -> ResumedView:
        """The view of a pause's end."""
        slots = resumed.passed_over
        return cls(pause=PauseView.of(resumed.pause), passed_over=slots.slots, more=slots.more)
