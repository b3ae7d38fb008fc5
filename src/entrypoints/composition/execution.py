"""Everything that a supervisor needs, put together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from ...adapters.local.machine import whereabouts
from ...adapters.local.process_payload import ProcessPayload
from ...adapters.local.process_tree import ATTEMPT_VARIABLE
from ...application.attempt_recorder import AttemptRecorder
from ...application.attempt_result import Earlier
from ...application.execute_run import ExecuteRun
from ...application.heartbeat import Heartbeat
from ...application.payload_listener import Console
from ...application.ports.attempt_log import Beat, Pulse
from ...application.ports.payload import Assignment
from ...application.run_order import Limits, RunOrder
from ...application.supervise_attempt import SuperviseAttempt
from ..file_order import FileOrder
from .container import Container

__all__ = ["ATTEMPT_VARIABLE", "execute_run", "introduction_of", "worker_command"]


def worker_command(pipeline: str) -> list[str]:
    """The command line of a pipeline's worker."""
    return [sys.executable, "-m", "kubescribe.entrypoints.worker", pipeline]


def execute_run(
    container: Container, *, command: Sequence[str], introduction: bytes | None, console: Console
) -> ExecuteRun:
    """The use case, around this command; ``introduction`` as in :class:`ProcessPayload`."""
    settings, databases = container.settings(), container.databases()
    limits = Limits(
        heartbeat=settings.heartbeat.total_seconds(),
        lease=settings.lease.total_seconds(),
        grace=settings.grace.total_seconds(),
        log_cap=settings.log_cap,
        keep_versions=settings.keep_versions,
    )
    here = whereabouts() if settings.pod is None else settings.pod.here(whereabouts())

    def beating(beat: Callable[[], Beat | None], on_pulse: Callable[[Pulse], None]) -> Callable[[], None]:
        log = container.heartbeat_log()
        heartbeat = Heartbeat(log, log.close, interval=limits.heartbeat, beat=beat, on_pulse=on_pulse)
        heartbeat.start()
        return heartbeat.stop

    def new_attempt(order: RunOrder, attempt_id: UUID, earlier: Earlier) -> tuple[SuperviseAttempt, AttemptRecorder]:
        recorder = AttemptRecorder(container.attempt_log(), container.spool(), attempt_id, after=earlier.recorder)
        publisher = container.publisher()
        assignment = Assignment(
            run_id=order.run_id,
            attempt_id=attempt_id,
            production=databases.production_url.for_libpq() if databases.production_url else None,
            report=databases.report_url.for_libpq() if databases.report_url else None,
            report_schema=settings.report_schema,
            statement_timeout=settings.statement_timeout.total_seconds(),
            snapshot_max_age=settings.snapshot_max_age.total_seconds(),
        )
        attempt = SuperviseAttempt(
            order=order,
            earlier=earlier,
            attempt_id=attempt_id,
            payload=ProcessPayload(
                command,
                introduction=introduction,
                folder=settings.home / "run",
                traced=settings.otlp_endpoint is not None,
            ),
            recorder=recorder,
            fences=container.fences(),
            publisher=publisher,
            rehearsals=container.rehearsals(),
            beating=beating,
            clock=container.clock(),
            console=console,
            whereabouts=here,
            assignment=assignment,
            limits=limits,
        )
        return attempt, recorder

    return ExecuteRun(
        new_attempt=new_attempt,
        publisher=container.publisher(),
        termination_log=container.termination_log(),
        clock=container.clock(),
        ids=container.ids(),
        attempt_id=None if settings.pod is None else settings.pod.uid,
        console=console,
        limits=limits,
    )


def introduction_of(
    parameters: dict[str, object],
    *,
    from_text: bool,
    pipelines: Sequence[str] = (),
    publish: FileOrder | None = None,
) -> bytes:
    """The first line on a worker's standard input; ``pipelines``: the modules that declare them."""
    return msgspec.json.encode(
        {"parameters": parameters, "from_text": from_text, "pipelines": pipelines, "publish": publish}
    )
