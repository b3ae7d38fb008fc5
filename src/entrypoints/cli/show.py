"""``kubescribe show RUN``: everything on record about a run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.text import Text

from ...domain.note import Note, NoteKind
from ...domain.run_mode import RunMode
from ...domain.run_record import RunRecord
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import find_run, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Show one run."""

    async def show(container: Container) -> int:
        run_log, history = container.run_log(), container.run_history()
        run_id = await find_run(run_log, args.run, tenant := settings.tenant)
        record = await history.record(run_id, tenant=tenant)
        if args.json:
            terminal.print_json(record)
        else:
            _print(record)
        return 0

    return reading(settings, show)


def _print(record: RunRecord) -> None:
    run, console = record.run, terminal.console()
    console.print(Text.assemble((run.pipeline, "bold"), "  ", str(run.id), "  ", terminal.status(run.status)))
    facts: list[tuple[str, Any]] = [
        ("why", run.trigger + (f": {run.reason}" if run.reason else "")),
        ("by", run.actor),
        ("mode", "" if run.mode is RunMode.PUBLISH else "a rehearsal: it publishes nothing"),
        ("slot", terminal.when(run.slot)),
        ("retry of", run.retry_of),
        ("parameters", msgspec.json.encode(run.parameters).decode() if run.parameters else ""),
        ("created", terminal.when(run.created_at)),
        ("started", terminal.when(run.started_at)),
        ("finished", terminal.when(run.finished_at)),
        ("took", terminal.seconds(run.duration)),
        ("code", run.code_version),
        ("cause", run.cause or run.skip_reason),
        ("known from", run.evidence),
        ("message", run.message),
    ]
    terminal.show(terminal.table(("", " "), [fact for fact in facts if fact[1]], wrap=(" ",)))
    _section("attempts", ("#", "ended", "cause", "exit", "memory", "CPU", "fence", "machine", "id"), _attempts(record))
    _section("inputs", ("name", "rows", "size", "seconds", "snapshot"), _inputs(record))
    _section("outputs", ("report", "version", "rows", "size", "seconds"), _outputs(record))
    _section("metrics", ("name", "value"), [(n.data.get("name"), n.data.get("value")) for n in _of(record, "metric")])
    _section("notes", ("at", "text"), [(terminal.when(n.at), n.data.get("text")) for n in _of(record, "note")])
    _section("events", ("at", "event", "by"), [(terminal.when(e.at), e.kind, e.actor) for e in record.events])
    console.print(f"\nIts output: kubescribe logs {run.id}", style="dim")


def _attempts(record: RunRecord) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    for attempt in record.attempts:
        end = attempt.certificate
        rows.append(
            (
                attempt.number,
                terminal.when(attempt.ended_at) or "not yet",
                (end.cause or "") if end else "",
                "" if end is None else end.signal or end.exit_code,
                terminal.size(end.memory_peak if end else attempt.memory),
                terminal.seconds(end.cpu_seconds if end else attempt.cpu_seconds),
                attempt.fence,
                attempt.whereabouts.host,
                attempt.id,
            )
        )
    return rows


def _inputs(record: RunRecord) -> list[Sequence[Any]]:
    return [
        (
            note.data.get("name"),
            _count(note.data.get("rows")),
            terminal.size(note.data.get("bytes")),
            terminal.seconds(note.data.get("seconds")),
            note.data.get("snapshot"),
        )
        for note in _of(record, "input")
    ]


def _outputs(record: RunRecord) -> list[Sequence[Any]]:
    return [
        (
            note.data.get("report"),
            _became(note.data),
            _count(note.data.get("rows")),
            terminal.size(note.data.get("bytes")),
            terminal.seconds(note.data.get("seconds")),
        )
        for note in _of(record, "output")
    ]


def _became(data: dict[str, Any]) -> str:
    """What became of the rows."""
    found = data.get("difference")
    if not isinstance(found, dict):
        return f"{data.get('version', '')}{' published' if data.get('published') else ' staged'}"
    if found.get("added") is None:
        return f"rehearsed: {found.get('rows_before')} rows would become {found.get('rows_after')}"
    return f"rehearsed: {found['added']} added, {found.get('removed')} removed, {found.get('changed')} changed"


def _of(record: RunRecord, kind: str) -> list[Note]:
    return [note for note in record.notes if note.kind is NoteKind(kind)]


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        terminal.console().print(f"\n[bold]{title}[/bold]")
        right = ("#", "rows", "size", "seconds", "memory", "CPU", "fence")
        terminal.show(terminal.table(columns, rows, right=right, wrap=("text", "name", "machine")))
