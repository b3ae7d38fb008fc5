"""``kubescribe runs``: the history, newest first."""

from __future__ import annotations

import argparse

from ...application.ports.run_log import RunFilter
from ...domain.errors import BadSetting
from ...domain.run_status import RunStatus
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List runs."""
    known = [status.value for status in RunStatus]
    for status in args.status or ():
        if status not in known:
            raise BadSetting("--status", f"{status!r} is none of {', '.join(known)}")
    if args.limit < 1:
        raise BadSetting("--limit", f"{args.limit} is less than 1")
    which = RunFilter(
        pipeline=args.pipeline,
        statuses=tuple(RunStatus(status) for status in args.status) if args.status else None,
    )

    async def show(container: Container) -> int:
        page = await container.run_log().find(which, limit=args.limit)
        if args.json:
            terminal.print_json(page.runs)
            return 0
        if not page.runs:
            terminal.console().print("There are no such runs. `kubescribe run PIPELINE` makes one.")
            return 0
        narrow = terminal.console().width < 130
        columns: tuple[str, ...] = ("run", "pipeline", "state", "created", "took", "cause", "attempts", "message")
        if narrow:  # the message is what `show` begins with
            columns = columns[:6]
        rows = [
            (
                terminal.short(run.id),
                run.pipeline,
                terminal.status(run.status),
                terminal.when(run.created_at),
                terminal.seconds(run.duration),
                run.cause or run.skip_reason or "",
                run.attempts,
                _first_line(run.message),
            )[: len(columns)]
            for run in page.runs
        ]
        terminal.show(terminal.table(columns, rows, right=("took", "attempts"), wrap=("message",)))
        if page.next is not None:
            terminal.console().print(f"… and older ones: --limit {args.limit * 5}", style="dim")
        return 0

    return reading(settings, show)


def _first_line(message: str | None) -> str:
    line = (message or "").split("\n", 1)[0]
    return line if len(line) <= 100 else f"{line[:100]}…"
