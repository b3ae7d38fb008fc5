"""The API over the shipped in-memory adapters: the real gate, routes and use cases, and no machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

from litestar.testing import TestClient

from kubescribe import Context, pipeline
from kubescribe.adapters.memory.changes import MemoryChanges
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.event_chain import MemoryEventChain
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.incidents import MemoryIncidents
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.outbox import MemoryOutbox
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.promises import MemoryPromiseBook
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.randomness import MemoryRandomness
from kubescribe.adapters.memory.report_catalogue import MemoryReportCatalogue
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.report_reader import MemoryReportReader
from kubescribe.adapters.memory.run_figures import MemoryRunFigures
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.run_requests import MemoryRunRequests
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.adapters.memory.tokens import MemoryTokens
from kubescribe.adapters.memory.web_sessions import MemoryWebSessions
from kubescribe.application.authenticate import Authenticate, Trust
from kubescribe.application.authoring.registry import Registry
from kubescribe.application.cancel_run import CancelRun
from kubescribe.application.collect_metrics import CollectMetrics
from kubescribe.application.describe_pipeline import DescribePipeline
from kubescribe.application.explain_pipeline import ExplainPipeline
from kubescribe.application.explain_run import ExplainRun
from kubescribe.application.finish_cancel import FinishCancel
from kubescribe.application.follow_run import FollowRun
from kubescribe.application.handle_incident import HandleIncident
from kubescribe.application.launch_run import LaunchRun
from kubescribe.application.manage_tokens import CreateToken
from kubescribe.application.metrics import Registry as MetricsRegistry
from kubescribe.application.resume_pipeline import ResumePipeline
from kubescribe.application.retry_run import RetryRun
from kubescribe.application.roll_back_report import RollBackReport
from kubescribe.application.sign_in import SignIn
from kubescribe.application.trigger_run import TriggerRun
from kubescribe.domain.access import Role, Scope
from kubescribe.domain.run import Run
from kubescribe.domain.token import Token
from kubescribe.entrypoints.api_settings import LOCAL_HOSTS, ApiSettings
from kubescribe.entrypoints.composition.browsing import json_objects, row_encoder
from kubescribe.entrypoints.http.app import api
from kubescribe.entrypoints.http.gate.gate import Gate
from kubescribe.entrypoints.http.readiness import Check, Readiness
from kubescribe.entrypoints.http.request_metrics import RequestMetrics
from kubescribe.entrypoints.http.services import Services
from tests.support.builders import a_run

HOST = "127.0.0.1:8000"
URL = f"http://{HOST}"


@pipeline(reports=())
def totals(run: Context, country: str | None = None, day: int = 1, tags: list[str] | None = None) -> None:
    """Orders by customer."""


class Stores(NamedTuple):
    """What the adapters of one world share."""

    runlog: MemoryRunLogDatabase
    reports: MemoryReportDatabase
    launcher: MemoryLauncher


class ApiWorld:
    """``with ApiWorld().client() as client: client.get("/runs", headers=world.as_(Role.VIEWER))``."""

    def __init__(
        self,
        settings: ApiSettings | None = None,
        trust: Trust | None = None,
        *,
        tenant: str = "default",
        stores: Stores | None = None,
        pipelines: Registry | None = None,
        **checks: Check,
    ) -> None:
        """``stores``: those of another world, on which the API then acts; None: of its own."""
        stores = stores or Stores(MemoryRunLogDatabase(), MemoryReportDatabase(), MemoryLauncher())
        self.database, self.reports, self.launcher = stores
        self.clock, self.ids = MemoryClock(), MemoryIds()
        self.run_log = MemoryRunLog(self.database)
        self.slots = MemorySlots(self.database)
        self.tokens, self.web_sessions = MemoryTokens(self.database), MemoryWebSessions(self.database)
        randomness = MemoryRandomness()
        requests = MemoryRunRequests(self.database)
        self.create_token = CreateToken(tokens=self.tokens, ids=self.ids, randomness=randomness)
        self.sign_in = SignIn(sessions=self.web_sessions, ids=self.ids, randomness=randomness)
        self.authenticate = Authenticate(tokens=self.tokens, sessions=self.web_sessions, clock=self.clock, trust=trust)
        launch = LaunchRun(run_log=self.run_log, requests=requests, launcher=self.launcher)
        history, catalogue = MemoryRunHistory(self.database), MemoryReportCatalogue(self.reports)
        pauses, describe = MemoryPauses(self.database), DescribePipeline(run_log=self.run_log)
        finish = FinishCancel(
            run_log=self.run_log,
            launcher=self.launcher,
            fences=MemoryFences(self.reports),
            publisher=MemoryPublisher(self.reports),
        )
        self.services = Services(
            run_log=self.run_log,
            history=history,
            pipelines=pipelines or Registry([totals]),
            trigger_run=TriggerRun(requests=requests, launch=launch, ids=self.ids),
            refuse_secrets=lambda pipeline, parameters: None,
            cancel_run=CancelRun(run_log=self.run_log, history=history, launcher=self.launcher, finish=finish),
            retry_run=RetryRun(run_log=self.run_log, requests=requests, launch=launch, ids=self.ids),
            follow_run=FollowRun(
                run_log=self.run_log, history=history, changes=MemoryChanges(self.database), poll=0.05
            ),
            explain_run=ExplainRun(run_log=self.run_log, history=history),
            describe_pipeline=describe,
            explain_pipeline=ExplainPipeline(describe=describe, pauses=pauses, slots=self.slots),
            pauses=pauses,
            slots=self.slots,
            resume_pipeline=ResumePipeline(pauses=pauses),
            incidents=MemoryIncidents(self.database),
            handle_incident=HandleIncident(MemoryIncidents(self.database)),
            promises=MemoryPromiseBook(self.database),
            tenant=tenant,
            reader=lambda: MemoryReportReader(self.reports),
            roll_back_report=lambda: RollBackReport(catalogue=catalogue, run_log=self.run_log, ids=self.ids),
            encoder=lambda kind, formula_safe: row_encoder(kind, formula_safe=formula_safe),
            as_objects=json_objects,
            download_rows=1_000_000,
            authenticate=self.authenticate,
            sign_in=self.sign_in,
            clock=self.clock,
            readiness=Readiness(checks, self.clock),
            metrics=self._metrics,
        )
        settings = settings or ApiSettings(rate=1_000_000, hosts=(*LOCAL_HOSTS, "testserver"))
        self.figures = MetricsRegistry()
        self.app: Gate = api(self.services, settings, observer=RequestMetrics(self.figures))

    async def _metrics(self, tenant: str) -> str:
        collect = CollectMetrics(
            tenant=tenant,
            registry=self.figures,
            figures=MemoryRunFigures(self.database),
            outbox=MemoryOutbox(self.database),
            chain=MemoryEventChain(self.database),
        )
        return await collect()

    @contextmanager
    def client(self) -> Iterator[TestClient[Any]]:
        """A client that follows no redirect and raises no server error: it sees what others would see."""
        with TestClient(self.app, base_url=URL, raise_server_exceptions=False) as client:
            client.follow_redirects = False
            yield client

    def token(
        self,
        role: Role = Role.VIEWER,
        *,
        name: str = "a test",
        tenant: str = "default",
        scopes: frozenset[Scope] | None = None,
        lifetime: float | None = None,
    ) -> tuple[Token, str]:
        """A new token, and its text."""
        return asyncio.run(
            self.create_token(name, role, actor="user:ann", tenant=tenant, scopes=scopes, lifetime=lifetime)
        )

    def revoke(self, token_id: UUID, tenant: str = "default") -> None:
        """Somebody revokes a token."""
        asyncio.run(self.tokens.revoke(token_id, tenant=tenant, actor="user:bob", reason=None))

    def as_(self, role: Role, *, tenant: str = "default", scopes: frozenset[Scope] | None = None) -> dict[str, str]:
        """Headers of somebody with this role."""
        return {"Authorization": f"Bearer {self.token(role, tenant=tenant, scopes=scopes)[1]}"}

    def link(self, role: Role = Role.ADMIN) -> str:
        """The code of a new sign-in link."""
        return asyncio.run(self.sign_in.invite(role, actor="user:ann"))

    def forget_runs(self) -> None:
        """Begin with an empty history."""
        self.database.runs.clear()
        self.database.events.clear()

    def run_record(self, **changes: Any) -> Run:
        """A run that is on no record yet."""
        run: Run = a_run(self.ids.new(), **changes)
        return run

    def run_soon(self) -> UUID:
        """A run that is put on record without any use case."""
        run = self.run_record()
        self.database.runs[run.id] = run
        return run.id

    def run(self, **changes: Any) -> UUID:
        """A run on record."""
        run = self.run_record(**changes)
        asyncio.run(self.run_log.create(run))
        return run.id

    def raw(self, method: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """A request whose path nobody has tidied up; status and body."""
        status, _, answer = self.exchange(method, path, *headers, body=body)
        return status, answer

    def exchange(
        self, method: str, path: str, *headers: tuple[str, str], body: bytes = b"", peer: str = "127.0.0.1"
    ) -> tuple[int, dict[str, str], bytes]:
        """The same, with the answer's headers."""
        scope = http_scope(method, path, *headers, peer=peer)
        sent = asyncio.run(_exchange(self.app, scope, [{"type": "http.request", "body": body, "more_body": False}]))
        start = next(message for message in sent if message["type"] == "http.response.start")
        answer = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        return start["status"], {k.decode().lower(): v.decode("latin-1") for k, v in start["headers"]}, answer

    def websocket(self, path: str) -> list[dict[str, Any]]:
        """What a WebSocket is answered."""
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "headers": [], "query_string": b""}
        return asyncio.run(_exchange(self.app, scope, [{"type": "websocket.connect"}]))


def http_scope(method: str, path: str, *headers: tuple[str, str], peer: str = "127.0.0.1") -> dict[str, Any]:
    """A request as a server hands it over; the path as it is."""
    raw, _, query = path.partition("?")
    given = headers if any(name == "host" for name, _ in headers) else (("host", HOST), *headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given],
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


async def _exchange(app: Any, scope: dict[str, Any], incoming: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
