"""A run, in a list and as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ....domain.note import Note, NoteKind
from ....domain.run import Run
from ....domain.run_record import RunRecord
from .attempt import AttemptView
from .event import EventView


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as a list shows it. Times are UTC, durations seconds."""

    id: UUID
    pipeline: str
    status: str
    mode: str
    """``publish``, or ``rehearse``: run for real, and nothing published."""
    trigger: str
    actor: str
    reason: str | None
    parameters: dict[str, Any]
    slot: datetime | None
    retry_of: UUID | None
    code_version: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration: float | None
    attempts: int
    cause: str | None
    skip_reason: str | None
    message: str | None

    @classmethod
    def of(cls, run: Run) -> RunView:
        """The view of a run."""
        return cls(**_shown(run))


class NoteView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the payload told."""

    attempt: UUID
    at: datetime | None
    data: dict[str, Any]


class RunLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look further."""

    self: str
    logs: str
    events: str
    explain: str
    pipeline: str


class RunRecordView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on record about a run."""

    id: UUID
    pipeline: str
    status: str
    mode: str
    """``publish``, or ``rehearse``: run for real, and nothing published."""
    trigger: str
    actor: str
    reason: str | None
    parameters: dict[str, Any]
    slot: datetime | None
    retry_of: UUID | None
    code_version: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration: float | None
    cause: str | None
    skip_reason: str | None
    message: str | None
    start_deadline_at: datetime | None
    run_deadline_at: datetime | None
    evidence: str | None
    """What a terminal state rests on."""
    attempts: tuple[AttemptView, ...]
    inputs: tuple[NoteView, ...]
    outputs: tuple[NoteView, ...]
    metrics: tuple[NoteView, ...]
    notes: tuple[NoteView, ...]
    events: tuple[EventView, ...]
    links: RunLinks

    @classmethod
    def of(cls, record: RunRecord) -> RunRecordView:
        """The view of a run with what is kept beside it."""
        run, told = record.run, record.notes
        shown = _shown(run)
        del shown["attempts"]
        return cls(
            **shown,
            start_deadline_at=run.start_deadline_at,
            run_deadline_at=run.run_deadline_at,
            evidence=run.evidence,
            attempts=tuple(map(AttemptView.of, record.attempts)),
            inputs=_notes(told, NoteKind.INPUT),
            outputs=_notes(told, NoteKind.OUTPUT),
            metrics=_notes(told, NoteKind.METRIC),
            notes=_notes(told, NoteKind.NOTE),
            events=tuple(map(EventView.of, record.events)),
            links=links_of(run),
        )


def links_of(run: Run) -> RunLinks:
    """Where to look further."""
    here = f"/runs/{run.id}"
    return RunLinks(
        self=here,
        logs=f"{here}/logs",
        events=f"{here}/events",
        explain=f"/explain{here}",
        pipeline=f"/pipelines/{run.pipeline}",
    )


def _shown(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in RunView.__struct_fields__}


def _notes(notes: Iterable[Note], kind: NoteKind) -> tuple[NoteView, ...]:
    return tuple(NoteView(attempt=note.attempt_id, at=note.at, data=note.data) for note in notes if note.kind is kind)
