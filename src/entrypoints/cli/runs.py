"""``kubescribe runs``: the history, newest first."""

from __future__ import annotations

import argparse

from ...domain.errors import BadSetting
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import find_run, reading
from .run_filter import page_key, place, run_filter


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List runs."""
    if args.limit < 1:
        raise BadSetting("--limit", f"{args.limit} is less than 1")
    before = page_key(args.before)
    run_filter(args, settings.tenant, None)  # a wrong option is told before a database is asked

    async def show(container: Container) -> int:
        run_log = container.run_log()
        retry_of = await find_run(run_log, args.retry_of, settings.tenant) if args.retry_of else None
        which = run_filter(args, settings.tenant, retry_of)
        page = await run_log.find(which, limit=args.limit, before=before)
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
            terminal.console().print(f"… and older ones: --before {place(page.next)}", style="dim", soft_wrap=True)
        return 0

    return reading(settings, show)


def _first_line(message: str | None) -> str:
    line = (message or "").split("\n", 1)[0]
    return line if len(line) <= 100 else f"{line[:100]}…"
