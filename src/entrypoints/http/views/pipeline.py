"""A pipeline: what it declares, and how it does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ....application.describe_pipeline import PipelineState
from ....domain.pause import Pause
from ....domain.pipeline import Pipeline
from .pause import PauseView
from .run import RunView


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
    pause: PauseView | None

    @classmethod
    def of(cls, pipeline: Pipeline, pause: Pause | None) -> PipelineView:
        """The view of a declaration; where its source lies is nobody's business here."""
        return cls(**_declared(pipeline, pause))


class DurationsView(msgspec.Struct, frozen=True, kw_only=True):
    """Quantiles of the successful runs' durations, in seconds."""

    p50: float
    p90: float
    p99: float
    longest: float


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over the last hundred runs."""

    counted: int
    by_status: dict[str, int]
    success_rate: float | None
    durations: DurationsView | None


class PipelineStateView(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration, and how the pipeline stands."""

    name: str
    description: str
    schedule: str | None
    timezone: str
    parameters: dict[str, Any]
    """JSON Schema (2020-12) of the parameters."""
    reports: tuple[str, ...] | None
    run_deadline: float
    start_deadline: float
    retries: int
    retry_delay: float
    code_version: str | None
    pause: PauseView | None
    next_slots: tuple[datetime, ...]
    last_runs: tuple[RunView, ...]
    open_runs: tuple[RunView, ...]
    last_success: RunView | None
    freshness: float | None
    """Seconds since the last success."""
    figures: FiguresView

    @classmethod
    def of(cls, pipeline: Pipeline, pause: Pause | None, state: PipelineState) -> PipelineStateView:
        """The view of a pipeline at a moment."""
        took = state.figures.durations
        return cls(
            **_declared(pipeline, pause),
            next_slots=state.next_slots,
            last_runs=tuple(map(RunView.of, state.last_runs)),
            open_runs=tuple(map(RunView.of, state.open_runs)),
            last_success=None if state.last_success is None else RunView.of(state.last_success),
            freshness=state.freshness,
            figures=FiguresView(
                counted=state.figures.counted,
                by_status=state.figures.by_status,
                success_rate=state.figures.success_rate,
                durations=None if took is None else DurationsView(**msgspec.structs.asdict(took)),
            ),
        )


def _declared(pipeline: Pipeline, pause: Pause | None) -> dict[str, Any]:
    names = [name for name in PipelineView.__struct_fields__ if name != "pause"]
    return {name: getattr(pipeline, name) for name in names} | {"pause": None if pause is None else PauseView.of(pause)}
