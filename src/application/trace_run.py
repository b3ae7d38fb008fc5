"""Tell how a run went, as a trace: made from its record, after its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from ..domain.attempt import Attempt
from ..domain.note import Note, NoteKind
from ..domain.run import Run
from ..domain.run_status import RunStatus
from ..domain.tenant import Tenant
from ..domain.trace import AttributeValue, Span, span_id
from .ports.run_history import RunHistory
from .ports.run_log import RunLog
from .ports.tracer import Tracer


class TraceRun:
    """Sends the trace of a run that has ended. Sent twice it is the same trace, with the same ids."""

    def __init__(self, *, run_log: RunLog, history: RunHistory, tracer: Tracer) -> None:
        self._run_log = run_log
        self._history = history
        self._tracer = tracer

    async def __call__(self, run_id: UUID, *, tenant: Tenant) -> bool:
        """Send it; False where the run has not ended, or the trace may not have arrived. Raises as RunLog does."""
        run = await self._run_log.get(run_id, tenant=tenant)
        if run.finished_at is None:
            return False
        attempts = await self._history.attempts(run_id, tenant=tenant)
        notes = await self._history.notes(run_id, tenant=tenant)
        return await self._tracer.export(spans_of(run, attempts, notes))


def spans_of(run: Run, attempts: tuple[Attempt, ...], notes: tuple[Note, ...]) -> tuple[Span, ...]:
    """The run from its acceptance to its end; in it the attempts; in each its reads, its transformation, its output.

    Times are the database's. What a worker tells is written down in batches of about a second, so the spans inside an
    attempt are as exact as that; their lengths are what the worker measured.
    """
    end = run.finished_at or run.created_at
    failed = run.status in (RunStatus.FAILED, RunStatus.LOST)
    root = Span(
        name="run",
        run_id=run.id,
        id=span_id(run.id, "run"),
        parent=None,
        start=run.created_at,
        end=max(end, run.created_at),
        attributes=_named(
            ("kubescribe.pipeline", run.pipeline),
            ("kubescribe.run_id", str(run.id)),
            ("kubescribe.status", run.status.value),
            ("kubescribe.cause", run.cause and run.cause.value),
            ("kubescribe.trigger", run.trigger.value),
            ("kubescribe.attempts", run.attempts),
            ("kubescribe.slot", run.slot and run.slot.isoformat()),
        ),
        error=(run.cause.value if run.cause else run.status.value) if failed else None,
    )
    spans = [root]
    for attempt in attempts:
        spans += _attempt(run, attempt, [note for note in notes if note.attempt_id == attempt.id], end)
    return tuple(spans)


def _attempt(run: Run, attempt: Attempt, notes: list[Note], end: datetime) -> list[Span]:
    own = span_id(run.id, "attempt", attempt.id)
    certificate = attempt.certificate
    start, end = attempt.started_at, max(attempt.ended_at or end, attempt.started_at)
    cause = certificate.cause.value if certificate is not None and certificate.cause is not None else None
    spans = [
        Span(
            name="attempt",
            run_id=run.id,
            id=own,
            parent=span_id(run.id, "run"),
            start=start,
            end=end,
            attributes=_named(
                ("kubescribe.attempt", attempt.number),
                ("kubescribe.attempt_id", str(attempt.id)),
                ("host.name", attempt.whereabouts.host),
                ("process.exit.code", certificate and certificate.exit_code),
                ("kubescribe.memory_peak", certificate and certificate.memory_peak),
                ("kubescribe.cpu_seconds", certificate and certificate.cpu_seconds),
            ),
            error=cause,
        )
    ]

    def inner(name: str, key: object, first: datetime, last: datetime, *facts: tuple[str, object]) -> Span:
        first, last = min(max(first, start), end), min(max(last, start), end)
        return Span(
            name=name,
            run_id=run.id,
            id=span_id(run.id, name, attempt.id, key),
            parent=own,
            start=min(first, last),
            end=last,
            attributes=_named(*facts),
        )

    reads = [_told(note) for note in notes if note.kind is NoteKind.INPUT]
    outputs = [_told(note) for note in notes if note.kind is NoteKind.OUTPUT and not note.data.get("published")]
    for first, last, note in reads:
        spans.append(inner("read", note.seq, first, last, ("kubescribe.input", note.data.get("name")), *_size(note)))
    for first, last, note in outputs:
        spans.append(
            inner("stage", note.seq, first, last, ("kubescribe.report", note.data.get("report")), *_size(note))
        )
    if reads and outputs:
        spans.append(inner("transform", 0, max(last for _, last, _ in reads), min(first for first, _, _ in outputs)))
    published = [note for note in notes if note.kind is NoteKind.OUTPUT and note.data.get("published") and note.at]
    if published and outputs:
        names = ",".join(sorted({str(note.data.get("report")) for note in published}))
        at = max(note.at for note in published if note.at is not None)
        spans.append(inner("publish", 0, max(last for _, last, _ in outputs), at, ("kubescribe.reports", names)))
    return spans


def _told(note: Note) -> tuple[datetime, datetime, Note]:
    """From when to when, by the seconds that the note itself tells."""
    assert note.at is not None
    seconds = note.data.get("seconds")
    length = float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e8 else 0.0
    return note.at - timedelta(seconds=length), note.at, note


def _size(note: Note) -> tuple[tuple[str, object], ...]:
    return ("kubescribe.rows", note.data.get("rows")), ("kubescribe.bytes", note.data.get("bytes"))


def _named(*facts: tuple[str, object]) -> tuple[tuple[str, AttributeValue], ...]:
    return tuple((name, value) for name, value in facts if isinstance(value, str | int | float | bool))
