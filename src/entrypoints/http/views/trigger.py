"""What somebody asks for when they trigger a run."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ....domain.run_mode import RunMode

Reason = Annotated[str, msgspec.Meta(max_length=2000)]


class TriggerView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pipeline and its parameters: nothing else of a run can be chosen from outside."""

    pipeline: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    parameters: dict[str, Any] = {}
    """As the pipeline's JSON Schema has them; what is left out has its default."""
    reason: Reason | None = None
    """Kept on record."""
    mode: RunMode = RunMode.PUBLISH
    """``rehearse``: run for real, publish nothing, and record the difference to the live reports."""
