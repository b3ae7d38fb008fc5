"""A pipeline as it is declared."""

from __future__ import annotations

from typing import Any

import msgspec

from ....domain.pipeline import Pipeline


class PipelineView(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration. Durations are seconds."""

    name: str
    description: str
    schedule: str | None
    timezone: str
    parameters: dict[str, Any]
    """JSON Schema (2020-12) of the parameters."""
    reports: tuple[str, ...] | None
    """Null where it does not say which reports it writes."""
    run_deadline: float
    start_deadline: float
    retries: int
    retry_delay: float
    code_version: str | None

    @classmethod
    def of(cls, pipeline: Pipeline) -> PipelineView:
        """The view of a declaration; where its source lies is nobody's business here."""
        return cls(**{name: getattr(pipeline, name) for name in cls.__struct_fields__})
