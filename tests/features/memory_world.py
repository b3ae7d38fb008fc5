"""The scenarios without any machine: shipped in-memory adapters under the real use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import polars as pl

from kubescribe.adapters.local.process_payload import ProcessPayload
from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.payload import MemoryPayload
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.source import MemorySource
from kubescribe.adapters.memory.spool import MemorySpool
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.adapters.memory.termination_log import MemoryTerminationLog
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application import failpoints
from kubescribe.application.attempt_end import Stop
from kubescribe.application.attempt_recorder import AttemptRecorder
from kubescribe.application.authoring.registry import Registry
from kubescribe.application.execute_run import ExecuteRun
from kubescribe.application.ports.payload import Assignment, Payload
from kubescribe.application.reconcile_runs import ReconcileRuns
from kubescribe.application.roll_back_report import RollBackReport
from kubescribe.application.run_order import Limits, RunOrder
from kubescribe.application.supervise_attempt import Earlier, SuperviseAttempt
from kubescribe.domain.attempt import Whereabouts
from kubescribe.domain.errors import KubescribeError, ReportNotFound
from kubescribe.domain.note import NoteKind
from kubescribe.domain.report import Publication
from kubescribe.domain.run import Run
from kubescribe.domain.summary import Summary

from .world import ORDERS, Ended, Record

ORDERS_FRAME = pl.DataFrame(
    {
        "day": [date.fromisoformat(day) for day, _, _ in ORDERS],
        "customer": [customer for _, customer, _ in ORDERS],
        "amount": [Decimal(amount) for _, _, amount in ORDERS],
    },
    schema={"day": pl.Date, "customer": pl.String, "amount": pl.Decimal(10, 2)},
)


class Listener:
    """A console that keeps what is said."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def printed(self, stream: str, data: bytes) -> bytes:
        return data

    def rest(self) -> list[tuple[str, bytes]]:
        return []

    def told(self, kind: NoteKind, data: dict[str, object]) -> None:
        pass

    def said(self, text: str) -> None:
        self.sentences.append(text)

    def left_behind(self, summary: Summary) -> None:
        pass

    def ready(self) -> bool:
        return True

    def hidden(self, data: Any) -> Any:
        return data


class _StoppingClock(SystemClock):
    """Somebody ends the supervisor while it sleeps."""

    def __init__(self, told: tuple[Stop, int]) -> None:
        self._told = told
        self.execute: ExecuteRun | None = None

    async def sleep(self, seconds: float) -> None:
        assert self.execute is not None
        self.execute.stop(*self._told)
        await asyncio.Event().wait()


class MemoryWorld:
    """One process, no sockets; a kill is a supervisor that is never heard of again."""

    def __init__(self) -> None:
        self.runlog, self.reports = MemoryRunLogDatabase(), MemoryReportDatabase()
        self.launcher, self.ids, self.spool = MemoryLauncher(), MemoryIds(), MemorySpool()
        self.registry = Registry.load(["tests.features.pipelines"], entry_points=False)

    # -- acting --------------------------------------------------------------------------------------------------

    def run(
        self,
        pipeline: str,
        parameters: dict[str, str],
        *,
        retries: int | None = None,
        run_id: UUID | None = None,
        stop_in_wait: tuple[Stop, int] | None = None,
    ) -> Ended:
        """``stop_in_wait``: what the supervisor is told while it waits for its next attempt."""
        try:
            function = self.registry.get(pipeline)
        except KubescribeError as error:
            return Ended(error.exit_code, str(error))

        def payload() -> Payload:
            return MemoryPayload(
                function,
                parameters,
                lambda: MemorySource({"orders": ORDERS_FRAME}),
                lambda: MemoryStaging(self.reports),
                from_text=True,
            )

        return asyncio.run(self._execute(self._order(pipeline, run_id, retries), payload, stop_in_wait=stop_in_wait))

    def execute(self, name: str, payload: Callable[[], Payload], *, declare_within: float) -> Ended:
        """Run a payload of the test's own."""
        return asyncio.run(self._execute(self._order(name, None, None), payload, declare_within=declare_within))

    def wrap(self, command: list[str], *, run_id: UUID | None = None) -> Ended:
        order = msgspec.structs.replace(self._order(command[0].rsplit("/", 1)[-1], run_id, None), declares=False)
        return asyncio.run(self._execute(order, lambda: ProcessPayload(command)))

    def ledger_of(self, run_id: UUID) -> tuple[Publication, ...]:
        """What the run has published."""
        return asyncio.run(MemoryFences(self.reports).publications(run_id))

    def run_and_kill(self, pipeline: str, *, after_publishing: bool) -> UUID:
        # The supervisor stops dead at the step: nothing after it happens, as with SIGKILL.
        step = "attempt.published" if after_publishing else "attempt.payload_ended"
        run_id = self.ids.new()
        with failpoints.armed(f"{step}=raise"):
            try:
                self.run(pipeline, {}, run_id=run_id)
            except failpoints.FailpointError:
                pass
            else:
                raise AssertionError(f"the run never came to {step}")
        attempt_id = self.runlog.runs[run_id].attempt_id
        assert attempt_id is not None
        self.launcher.end(attempt_id)
        return run_id

    def look_after_runs(self) -> None:
        reconcile = ReconcileRuns(
            run_log=MemoryRunLog(self.runlog),
            launcher=self.launcher,
            fences=MemoryFences(self.reports),
            publisher=MemoryPublisher(self.reports),
        )
        assert asyncio.run(reconcile()).problems == ()

    def roll_back(self, report: str, *, to: int | None, reason: str | None) -> Ended:
        roll_back = RollBackReport(
            catalogue=MemoryReportCatalogue(self.reports), run_log=MemoryRunLog(self.runlog), ids=self.ids
        )
        try:
            asyncio.run(roll_back(report, to=to, actor="user:ada", reason=reason))
        except KubescribeError as error:
            return Ended(error.exit_code, str(error))
        return Ended(0, "")

    # -- looking -------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[Run, ...]:
        return tuple(sorted(self.runlog.runs.values(), key=lambda run: (run.created_at, run.id), reverse=True))

    def record(self, run_id: UUID) -> Record:
        async def read() -> Record:
            history = MemoryRunHistory(self.runlog)
            return Record(
                await MemoryRunLog(self.runlog).get(run_id),
                await history.attempts(run_id),
                await history.notes(run_id),
                await history.events(run_id),
            )

        return asyncio.run(read())

    def output(self, run_id: UUID) -> list[str]:
        async def read() -> list[str]:
            history = MemoryRunHistory(self.runlog)
            return [
                line.text
                for attempt in await history.attempts(run_id)
                for chunk in await history.output(attempt.id)
                for line in chunk.lines
            ]

        return asyncio.run(read())

    def rows(self, report: str) -> list[dict[str, Any]] | None:
        try:
            head = asyncio.run(MemoryReportCatalogue(self.reports).head(report, limit=1000))
        except ReportNotFound:
            return None
        return [{name: str(value) for name, value in row.items()} for row in head]

    def ledger(self, report: str) -> tuple[Publication, ...]:
        return asyncio.run(MemoryReportCatalogue(self.reports).ledger(report))

    def notices(self) -> list[tuple[UUID, str]]:
        return [(notice.run_id, notice.kind) for notice in self.runlog.outbox]

    def audit(self) -> list[str]:
        return [event.kind for event in self.runlog.events]

    # -- inside --------------------------------------------------------------------------------------------------

    def _order(self, name: str, run_id: UUID | None, retries: int | None) -> RunOrder:
        return RunOrder(
            run_id=run_id or self.ids.new(),
            accepted=run_id is not None,
            name=name,
            actor="user:ada",
            retries=retries,
            retry_delay=None if retries is None else 0,
        )

    async def _execute(
        self,
        order: RunOrder,
        payload: Callable[[], Payload],
        *,
        stop_in_wait: tuple[Stop, int] | None = None,
        declare_within: float = 10.0,
    ) -> Ended:
        console = Listener()
        limits = Limits(flush=0.01, grace=1.0, record_patience=0, declare_within=declare_within)
        clock = _StoppingClock(stop_in_wait) if stop_in_wait else SystemClock()

        def new_attempt(
            order: RunOrder, attempt_id: UUID, earlier: Earlier
        ) -> tuple[SuperviseAttempt, AttemptRecorder]:
            recorder = AttemptRecorder(MemoryAttemptLog(self.runlog), self.spool, attempt_id, after=earlier.recorder)
            attempt = SuperviseAttempt(
                order=order,
                earlier=earlier,
                attempt_id=attempt_id,
                payload=payload(),
                recorder=recorder,
                fences=MemoryFences(self.reports),
                publisher=MemoryPublisher(self.reports),
                beating=lambda beat, on_pulse: lambda: None,
                clock=SystemClock(),
                console=console,
                whereabouts=Whereabouts(host="memory"),
                assignment=Assignment(run_id=order.run_id, attempt_id=attempt_id),
                limits=limits,
            )
            return attempt, recorder

        execute = ExecuteRun(
            new_attempt=new_attempt,
            publisher=MemoryPublisher(self.reports),
            termination_log=MemoryTerminationLog(),
            clock=clock,
            ids=self.ids,
            console=console,
            limits=limits,
        )
        if isinstance(clock, _StoppingClock):
            clock.execute = execute
        result = await execute(order)
        return Ended(result.exit_code, "\n".join([*console.sentences, result.message]), order.run_id)
