"""What is said along when something is asked to be done."""

from __future__ import annotations

import msgspec

from .run import RunView
from .trigger import Reason


class ReasonView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why: it is kept on record."""

    reason: Reason | None = None


class RetriedView(msgspec.Struct, frozen=True, kw_only=True):
    """A new run that does an earlier one's work again."""

    run: RunView
    code_then: str | None
    """The code version of the earlier run."""
    code_now: str | None
    note: str | None
    """A sentence where the code differs."""
