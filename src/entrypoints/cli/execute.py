"""``kubescribe run``, ``exec`` and ``publish``: the supervisor of one run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from ...application.attempt_end import Stop
from ...application.attempt_result import AttemptResult
from ...application.execute_run import ExecuteRun
from ...application.run_order import RunOrder
from ...domain.actor import CLUSTER, SCHEDULE
from ...domain.duration import format_duration, parse_duration
from ...domain.errors import BadSetting, DatabaseUnavailable, KubescribeError, RunMismatch
from ...domain.pipeline import NAME_RULE, may_be_a_name
from ...domain.run import Run, Trigger
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ..composition.container import Container, container_for
from ..composition.databases import open_databases
from ..composition.execution import ATTEMPT_VARIABLE, execute_run, introduction_of, worker_command
from ..secrets import refuse_secrets
from ..settings import Settings
from .console import TerminalConsole
from .parameters import parameters_of
from .publish import FileOrder, file_to_publish


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Execute the run; the exit code of DESIGN section 4."""
    if args.command == "run" and args.detach:
        from .trigger import detach

        return detach(args, settings)
    with open_databases(settings) as databases, file_to_publish(args) as file:
        console = TerminalConsole((*settings.secrets(), *databases.secrets()), as_json=settings.log == "json")

        async def execute() -> int:
            async with container_for(settings, databases) as container:
                result = await _execute(args, settings, container, console, file)
                if databases.embedded:
                    await _heal(container, console)
                return result.exit_code

        try:
            return asyncio.run(execute())
        finally:
            console.flush()


async def _execute(
    args: argparse.Namespace,
    settings: Settings,
    container: Container,
    console: TerminalConsole,
    file: FileOrder | None,
) -> AttemptResult:
    order = _order(args, settings, container, console)
    known = await _known(container, order, args) if order.accepted else None
    if known is not None:
        order = _as_it_was_asked_for(order, known, args)
    if args.command == "exec":
        command, introduction = _command(args), None
    elif file is not None:
        command = worker_command(order.name)
        asked: dict[str, object] = {"report": file.report, "file": file.file, "key": list(file.key)}
        introduction = introduction_of(asked, from_text=False, publish=file)
    else:
        command = worker_command(args.pipeline)
        given = parameters_of(args)
        refuse_secrets(args.pipeline, given, container.databases())
        if known is not None and not given:
            introduction = introduction_of(known.parameters, from_text=False, pipelines=settings.pipelines)
        else:
            introduction = introduction_of(given, from_text=True, pipelines=settings.pipelines)
    console.bind(order.run_id)
    execute = execute_run(container, command=command, introduction=introduction, console=console)
    _listen(execute, console, grace=settings.grace)
    result = await execute(order)
    console.said(_sentence(order, result))
    if settings.otlp_endpoint is not None and result.outcome is not None:
        await _trace(container, order.run_id, console)
    return result


async def _trace(container: Container, run_id: UUID, console: TerminalConsole) -> None:
    """After the run is on record: the exporter is large, and nothing of the run waits for it."""
    from ..composition.watching import trace_run

    try:
        sent = await trace_run(container, run_id, container.settings().tenant)
    except KubescribeError as error:
        console.said(f"the trace was not sent: {error}")
        return
    if not sent:
        console.said("the trace was not sent: the run has no end on record yet, or the collector did not take it")


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
    # From our launcher: the run is being cancelled, which the next heartbeat would tell as well.
    loop.add_signal_handler(signal.SIGUSR1, execute.stop, Stop.CANCELLED)


async def _known(container: Container, order: RunOrder, args: argparse.Namespace) -> Run | None:
    """The run of this id, with the parameters that it was accepted with."""
    try:
        run: Run | None = await container.attempt_log().recall(order.run_id)
    except DatabaseUnavailable:
        pod = container.settings().pod
        of_its_job = pod is not None and order.run_id == pod.job_uid  # nobody has given it parameters
        if args.command == "run" and not args.param and not of_its_job:
            raise  # with the defaults instead of the parameters that are on record it would be another run
        return None
    if run is not None and run.tenant != order.tenant:
        raise RunMismatch(order.run_id, f"is not one of tenant {order.tenant}")
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
    pod = settings.pod
    its_job = None if pod is None else pod.job_uid
    run_id = given or inherited or its_job
    slot = slot_of(args.slot) if args.slot else settings.slot
    actor = settings.actor
    if pod is not None and run_id == its_job:
        slot = slot or pod.slot
        actor = SCHEDULE if slot else CLUSTER
    limits = {} if getattr(args, "run_deadline", None) is None else {"run_deadline": _seconds(args.run_deadline)}
    if args.retries is not None and args.retries < 0:
        raise BadSetting("--retries", f"{args.retries} is less than 0")
    return RunOrder(
        run_id=run_id or container.ids().new(),
        tenant=settings.tenant,
        accepted=run_id is not None,
        name=_name(args),
        declares=args.command != "exec",
        parameters=console.hidden({"command": _command(args)}) if args.command == "exec" else {},
        trigger=Trigger.SCHEDULE if slot else Trigger.MANUAL,
        actor=actor,
        reason=args.reason,
        mode=_mode(args),
        slot=slot,
        retries=args.retries,
        retry_delay=_seconds(args.retry_delay) if args.retry_delay else None,
        one_attempt=pod is not None,
        **limits,
    )


def _as_it_was_asked_for(order: RunOrder, known: Run, args: argparse.Namespace) -> RunOrder:
    """The order with what is on record of a run that was accepted before it had a supervisor."""
    return msgspec.structs.replace(
        order,
        mode=order.mode if getattr(args, "rehearse", False) else known.mode,
        trigger=known.trigger,
        actor=known.actor,
        reason=known.reason,
        slot=known.slot or order.slot,
    )


def _mode(args: argparse.Namespace) -> RunMode:
    return RunMode.REHEARSE if getattr(args, "rehearse", False) else RunMode.PUBLISH


def _command(args: argparse.Namespace) -> list[str]:
    argv: list[str] = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not argv:
        raise BadSetting("exec", "there is no command; give it after two dashes: kubescribe exec -- CMD…")
    return argv


def _name(args: argparse.Namespace) -> str:
    if args.command == "run":
        return str(args.pipeline)
    if args.name is None:
        return str(args.report) if args.command == "publish" else Path(_command(args)[0]).name
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
        if order.mode is RunMode.REHEARSE:
            return f"{done}; it was a rehearsal, and published nothing: kubescribe show {order.run_id}"
        return f"{done}; published {published}" if published else done
    what = {RunStatus.SKIPPED: "was skipped", RunStatus.UNCERTAIN: "is uncertain"}.get(status, "failed")
    return f"{head} {what}: {result.message}\nkubescribe: for more: kubescribe show {order.run_id}"
