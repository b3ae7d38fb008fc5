"""A run with everything that is kept beside it but its output."""

from __future__ import annotations

import msgspec

from .attempt import Attempt
from .event import Event
from .note import Note
from .run import Run


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All of one moment: what one part says, no other part contradicts."""

    run: Run
    attempts: tuple[Attempt, ...]
    """The first one first."""
    notes: tuple[Note, ...]
    """By attempt, and then in the attempt's order."""
    events: tuple[Event, ...]
    """In the order of writing."""
