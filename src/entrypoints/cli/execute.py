"""``kubescribe run`` and ``kubescribe exec``: the supervisor of one run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from ...application.attempt_end import Stop
from ...application.execute_run import ExecuteRun
from ...application.run_order import RunOrder
from ...application.supervise_attempt import AttemptResult
from ...domain.duration import format_duration, parse_duration
from ...domain.errors import BadSetting, DatabaseUnavailable, RunMismatch
from ...domain.pipeline import NAME_RULE, may_be_a_name
from ...domain.run import Run, Trigger
from ...domain.run_status import RunStatus
from ..composition.container import Container, container_for
from ..composition.databases import open_databases
from ..composition.execution import ATTEMPT_VARIABLE, execute_run, introduction_of, worker_command
from ..settings import Settings
from .console import TerminalConsole
from .parameters import parameters_of, refuse_secrets


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Execute the run; the exit code of DESIGN section 4."""
    if args.command == "run" and args.detach:
        from .detached import start

        return start(args, settings)
    with open_databases(settings) as databases:
        console = TerminalConsole((*settings.secrets(), *databases.secrets()))

        async def execute() -> int:
            async with container_for(settings, databases) as container:
                result = await _execute(args, settings, container, console)
                if databases.embedded:
                    await _heal(container, console)
                return result.exit_code

        try:
            return asyncio.run(execute())
        finally:
            console.flush()


async def _execute(
    args: argparse.Namespace, settings: Settings, container: Container, console: TerminalConsole
) -> AttemptResult:
    order = _order(args, settings, container, console)
    known = await _known(container, order, args) if order.accepted else None
    if args.command == "exec":
        command, introduction = _command(args), None
    else:
        command = worker_command(args.pipeline)
        given = parameters_of(args)
        refuse_secrets(args.pipeline, given, container.databases())
        if known is not None and not given:
            introduction = introduction_of(known.parameters, from_text=False, pipelines=settings.pipelines)
        else:
            introduction = introduction_of(given, from_text=True, pipelines=settings.pipelines)
    execute = execute_run(container, command=command, introduction=introduction, console=console)
    _listen(execute, console, grace=settings.grace)
    result = await execute(order)
    console.said(_sentence(order, result))
    return result


def _listen(execute: ExecuteRun, console: TerminalConsole, *, grace: timedelta) -> None:
    """End gently at a signal, and at once when Ctrl-C is pressed again."""
    loop = asyncio.get_running_loop()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:
            console.said("killing it; what it staged is never published")
            execute.hurry()
            return
        interrupted = True
        console.said(f"ending it, which it has {format_duration(grace)} for; press Ctrl-C again to kill it at once")
        execute.stop(Stop.TERMINATED, signal.SIGINT.value)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            loop.add_signal_handler(number, execute.stop, Stop.TERMINATED, number.value)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGINT, interrupt)


async def _known(container: Container, order: RunOrder, args: argparse.Namespace) -> Run | None:
    """The run of this id, with the parameters that it was accepted with."""
    try:
        run: Run | None = await container.attempt_log().recall(order.run_id)
    except DatabaseUnavailable:
        if args.command == "run" and not args.param:
            raise  # with the defaults instead of the parameters that are on record it would be another run
        return None
    if run is not None and run.pipeline != order.name:
        raise RunMismatch(order.run_id, f"is one of {run.pipeline}, not of {order.name}")
    return run


async def _heal(container: Container, console: TerminalConsole) -> None:
    """On a laptop there is no reconciler: every command looks after what an earlier one left behind."""
    from .healing import heal_if_needed

    await heal_if_needed(container, console.said)


def _order(args: argparse.Namespace, settings: Settings, container: Container, console: TerminalConsole) -> RunOrder:
    given = UUID(args.run_id) if args.run_id and _is_uuid(args.run_id) else None
    if args.run_id and given is None:
        raise BadSetting("--run-id", f"{args.run_id!r} is no UUID")
    # Inside a payload the variable names the run that we are a part of, not one to take.
    inherited = None if ATTEMPT_VARIABLE in os.environ else settings.run_id
    run_id = given or inherited
    slot = slot_of(args.slot) if args.slot else settings.slot
    limits = {} if getattr(args, "run_deadline", None) is None else {"run_deadline": _seconds(args.run_deadline)}
    if args.retries is not None and args.retries < 0:
        raise BadSetting("--retries", f"{args.retries} is less than 0")
    return RunOrder(
        run_id=run_id or container.ids().new(),
        accepted=run_id is not None,
        name=args.pipeline if args.command == "run" else _name(args),
        declares=args.command == "run",
        parameters={} if args.command == "run" else console.hidden({"command": _command(args)}),
        trigger=Trigger.SCHEDULE if slot else Trigger.MANUAL,
        actor=settings.actor,
        reason=args.reason,
        slot=slot,
        retries=args.retries,
        retry_delay=_seconds(args.retry_delay) if args.retry_delay else None,
        **limits,
    )


def _command(args: argparse.Namespace) -> list[str]:
    argv: list[str] = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not argv:
        raise BadSetting("exec", "there is no command; give it after two dashes: kubescribe exec -- CMD…")
    return argv


def _name(args: argparse.Namespace) -> str:
    if args.name is None:
        return Path(_command(args)[0]).name
    name: str = args.name
    if not may_be_a_name(name):
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        raise BadSetting("--name", f"{shown!r} cannot be a name: {NAME_RULE}")
    return name


def _seconds(text: str) -> float:
    return parse_duration(text).total_seconds()


def slot_of(text: str) -> datetime:
    """What ``--slot`` gives."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting("--slot", f"{text!r} is no ISO time") from None
    if time.tzinfo is None:
        raise BadSetting("--slot", f"{text!r} has no zone; write it as 2026-01-31T05:15:00-05:00")
    return time


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _sentence(order: RunOrder, result: AttemptResult) -> str:
    """What happened, and where to look further."""
    if result.outcome is None:
        return result.message or f"run {order.run_id} was not started"
    status = result.outcome.status
    head = f"run {order.run_id} of {order.name}"
    if status is RunStatus.SUCCEEDED:
        published = ", ".join(f"{one.report} version {one.version} ({one.rows:,} rows)" for one in result.published)
        done = f"{head} succeeded in {result.outcome.duration:.1f} s"
        return f"{done}; published {published}" if published else done
    what = {RunStatus.SKIPPED: "was skipped", RunStatus.UNCERTAIN: "is uncertain"}.get(status, "failed")
    return f"{head} {what}: {result.message}\nkubescribe: for more: kubescribe show {order.run_id}"
