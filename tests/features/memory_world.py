"""The scenarios without any machine: shipped in-memory adapters under the real use cases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import polars as pl

from kubescribe.adapters.local.process_payload import ProcessPayload
from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.event_chain import MemoryEventChain
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.payload import MemoryPayload
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.rehearsals import MemoryRehearsals
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.report_reader import MemoryReportReader
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.adapters.memory.source import MemorySource
from kubescribe.adapters.memory.spool import MemorySpool
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.adapters.memory.termination_log import MemoryTerminationLog
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application import failpoints
from kubescribe.application.attempt_end import Stop
from kubescribe.application.attempt_recorder import AttemptRecorder
from kubescribe.application.attempt_result import Earlier
from kubescribe.application.audit_events import SealEvents, VerifyEvents
from kubescribe.application.authoring.parameters import accepted_parameters
from kubescribe.application.authoring.registry import Registry
from kubescribe.application.cancel_run import CancelRun
from kubescribe.application.compare_versions import CompareVersions
from kubescribe.application.execute_run import ExecuteRun
from kubescribe.application.finish_cancel import FinishCancel
from kubescribe.application.launch_run import LaunchRun
from kubescribe.application.ports.payload import Assignment, Payload
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.application.reconcile_runs import ReconcileRuns
from kubescribe.application.resume_pipeline import ResumePipeline
from kubescribe.application.retry_run import RetryRun
from kubescribe.application.roll_back_report import RollBackReport
from kubescribe.application.run_order import Limits, RunOrder
from kubescribe.application.supervise_attempt import SuperviseAttempt
from kubescribe.application.trigger_run import TriggerRequest, TriggerRun
from kubescribe.domain.attempt import Attempt, Whereabouts
from kubescribe.domain.errors import KubescribeError, ReportNotFound
from kubescribe.domain.event_chain import anchor_line, anchors_of
from kubescribe.domain.exit_code import ExitCode
from kubescribe.domain.note import NoteKind
from kubescribe.domain.report import Publication
from kubescribe.domain.report_query import RowQuery
from kubescribe.domain.report_value import text_of
from kubescribe.domain.run import Run, Trigger
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.summary import Summary
from kubescribe.domain.tenant import DEFAULT_TENANT
from kubescribe.domain.version_difference import VersionDifference
from tests.support.waiting import wait_for

from .memory_follower import MemoryFollower
from .world import ORDERS, Browsed, Ended, Follower, Listing, Record, World

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


class _TellingLauncher(MemoryLauncher):
    """Whose supervisors are threads of this process, and hear what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.supervisors: dict[UUID, tuple[asyncio.AbstractEventLoop, ExecuteRun]] = {}

    async def stop(self, run: Run, attempt: Attempt | None) -> None:
        await super().stop(run, attempt)
        if run.id in self.supervisors:
            loop, execute = self.supervisors[run.id]
            loop.call_soon_threadsafe(execute.stop, Stop.CANCELLED)


class MemoryWorld(World):
    """One process, no sockets; a kill is a supervisor that is never heard of again."""

    @property
    def actor(self) -> str:
        return "user:ada"

    def __init__(self) -> None:
        self.runlog, self.reports = MemoryRunLogDatabase(), MemoryReportDatabase()
        self.launcher, self.ids, self.spool = _TellingLauncher(), MemoryIds(), MemorySpool()
        self.requests = MemoryRunRequests(self.runlog)
        self.launch = LaunchRun(run_log=MemoryRunLog(self.runlog), requests=self.requests, launcher=self.launcher)
        self.threads: dict[UUID, threading.Thread] = {}
        self.registry = Registry.load(["tests.features.pipelines"], entry_points=False)

    # -- acting --------------------------------------------------------------------------------------------------

    def run(
        self,
        pipeline: str,
        parameters: dict[str, str],
        *,
        retries: int | None = None,
        run_id: UUID | None = None,
        rehearse: bool = False,
        slot: str | None = None,
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

        order = self._order(pipeline, run_id, retries)
        if slot is not None:
            order = msgspec.structs.replace(order, slot=datetime.fromisoformat(slot), trigger=Trigger.SCHEDULE)
        if rehearse:
            order = msgspec.structs.replace(order, mode=RunMode.REHEARSE)
        return asyncio.run(self._execute(order, payload, stop_in_wait=stop_in_wait))

    def execute(self, name: str, payload: Callable[[], Payload], *, declare_within: float) -> Ended:
        """Run a payload of the test's own."""
        return asyncio.run(self._execute(self._order(name, None, None), payload, declare_within=declare_within))

    def wrap(self, command: list[str], *, run_id: UUID | None = None) -> Ended:
        order = msgspec.structs.replace(self._order(command[0].rsplit("/", 1)[-1], run_id, None), declares=False)
        return asyncio.run(self._execute(order, lambda: ProcessPayload(command)))

    def trigger(self, pipeline: str, parameters: dict[str, str], *, key: str | None = None) -> Ended:
        try:
            function = self.registry.get(pipeline)
            accepted = accepted_parameters(function, parameters, from_text=True)
            trigger = TriggerRun(requests=self.requests, launch=self.launch, ids=self.ids)
            request = TriggerRequest(pipeline=function.pipeline, parameters=accepted, actor="user:ada", key=key)
            return Ended(0, "", asyncio.run(trigger(request)).run.id)
        except KubescribeError as error:
            return Ended(error.exit_code, str(error))

    def retry(self, run_id: UUID, *, key: str | None = None) -> Ended:
        retry = RetryRun(run_log=MemoryRunLog(self.runlog), requests=self.requests, launch=self.launch, ids=self.ids)
        try:
            return Ended(0, "", asyncio.run(retry(run_id, self.registry.get, actor="user:ada", key=key)).run.id)
        except KubescribeError as error:
            return Ended(error.exit_code, str(error))

    def trigger_and_wait_until_at_work(self, pipeline: str) -> UUID:
        run_id = self.trigger(pipeline, {}).run_id
        assert run_id is not None
        self.threads[run_id] = threading.Thread(target=self._supervise, args=(run_id,), daemon=True)
        self.threads[run_id].start()
        wait_for(lambda: any(note.kind is NoteKind.PROGRESS for note in list(self.runlog.notes.values())), "progress")
        return run_id

    def until_ended(self, run_id: UUID) -> None:
        assert run_id in self.launcher.launched
        if run_id in self.threads:
            self.threads[run_id].join(20)
            self.look_after_runs()
        else:
            self._supervise(run_id)

    def _supervise(self, run_id: UUID) -> None:
        """As the supervisor does that the launcher has started."""
        run = self.runlog.runs[run_id]
        order = msgspec.structs.replace(self._order(run.pipeline, run_id, None), mode=run.mode, trigger=run.trigger)
        function = self.registry.get(run.pipeline)

        def payload() -> Payload:
            return MemoryPayload(
                function,
                run.parameters,
                lambda: MemorySource({"orders": ORDERS_FRAME}),
                lambda: MemoryStaging(self.reports),
            )

        asyncio.run(self._execute(order, payload))
        self.launcher.leave(run_id)
        attempt_id = self.runlog.runs[run_id].attempt_id
        if attempt_id is not None:
            self.launcher.end(attempt_id)

    def at_work(self, run_id: UUID) -> bool:
        return run_id in self.threads and self.threads[run_id].is_alive()

    def cancel(self, run_id: UUID, *, reason: str) -> Ended:
        run_log, history = MemoryRunLog(self.runlog), MemoryRunHistory(self.runlog)
        finish = FinishCancel(
            run_log=run_log,
            launcher=self.launcher,
            fences=MemoryFences(self.reports),
            publisher=MemoryPublisher(self.reports),
        )
        cancel = CancelRun(run_log=run_log, history=history, launcher=self.launcher, finish=finish)
        try:
            asyncio.run(cancel(run_id, actor="user:ada", reason=reason))
        except KubescribeError as error:
            return Ended(error.exit_code, str(error), run_id)
        self.until_ended(run_id)
        return Ended(0, "", run_id)

    def pause(self, pipeline: str, *, reason: str) -> None:
        asyncio.run(MemoryPauses(self.runlog).pause(pipeline, actor="user:ada", reason=reason))

    def resume(self, pipeline: str) -> None:
        resume = ResumePipeline(pauses=MemoryPauses(self.runlog))
        asyncio.run(resume(self.registry.get(pipeline).pipeline, actor="user:ada"))

    def page(self, limit: int, after: str | None) -> Listing:
        at, _, last = (after or "").partition("/")
        before = None if after is None else (datetime.fromisoformat(at), UUID(last))
        page = asyncio.run(MemoryRunLog(self.runlog).find(RunFilter(), limit=limit, before=before))
        further = None if page.next is None else f"{page.next[0].isoformat()}/{page.next[1]}"
        return Listing([run.id for run in page.runs], further)

    def follow(self, run_id: UUID, after: str | None = None) -> Follower:
        assert after is None
        return MemoryFollower(self.runlog, run_id)

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
        assert self.runlog.runs[run_id].status == "running"
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

    def browse(self, query: RowQuery, *, limit: int = 20, after: str | None = None) -> tuple[Ended, Browsed | None]:
        try:
            page = asyncio.run(MemoryReportReader(self.reports).page(query, limit=limit, after=after))
        except KubescribeError as error:
            return Ended(error.exit_code, str(error)), None
        listed = [column.name for column in page.columns]
        rows = [dict(zip(listed, map(text_of, row), strict=True)) for row in page.rows]
        return Ended(0, ""), Browsed(rows=rows, run_id=page.source.publication.run_id, next=page.next)

    def compare(self, report: str, before: int, after: int) -> VersionDifference:
        return asyncio.run(CompareVersions(reader=MemoryReportReader(self.reports))(report, before, after))

    def unpublished(self) -> int:
        return len(asyncio.run(MemoryPublisher(self.reports).unpublished()))

    def notices(self) -> list[tuple[UUID, str]]:
        return [(notice.run_id, notice.kind) for notice in self.runlog.outbox if notice.run_id is not None]

    def audit(self) -> list[tuple[str, str]]:
        return [(event.kind, event.actor) for event in self.runlog.events]

    def seal(self) -> None:
        asyncio.run(SealEvents(MemoryEventChain(self.runlog))())

    def anchor(self) -> str:
        head = asyncio.run(MemoryEventChain(self.runlog).head(DEFAULT_TENANT))
        assert head is not None
        return anchor_line(head).decode()

    def verify_audit(self, anchor: str | None = None) -> Ended:
        anchors = () if anchor is None else anchors_of(anchor)
        found = asyncio.run(VerifyEvents(MemoryEventChain(self.runlog))(DEFAULT_TENANT, anchors))
        assert found.checked and not found.unsealed.events
        return Ended(
            ExitCode.PRECONDITION if found.findings else 0,
            "\n".join(f"{one.breach}: {one.detail}" for one in found.findings),
        )

    def tamper(self, kind: str, actor: str | None) -> None:
        chain = self.runlog.chains[DEFAULT_TENANT]
        place = max(place for place, link in enumerate(chain) if link.event.kind == kind)
        if actor is None:
            self.runlog.events.remove(chain.pop(place).event)
        else:
            event = msgspec.structs.replace(chain[place].event, actor=actor)
            chain[place] = msgspec.structs.replace(chain[place], event=event)

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
                rehearsals=MemoryRehearsals(self.reports),
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
        self.launcher.supervisors[order.run_id] = (asyncio.get_running_loop(), execute)
        try:
            result = await execute(order)
        finally:
            self.launcher.supervisors.pop(order.run_id, None)  # another attempt at the run may have been faster
        return Ended(result.exit_code, "\n".join([*console.sentences, result.message]), order.run_id)
