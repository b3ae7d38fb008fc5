"""The same RunLog twice: in memory and in PostgreSQL, with what only a test may do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.event_chain import MemoryEventChain
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.incidents import MemoryIncidents
from kubescribe.adapters.memory.outbox import MemoryOutbox
from kubescribe.adapters.memory.promises import MemoryPromiseBook
from kubescribe.adapters.memory.reminders import MemoryReminders
from kubescribe.adapters.memory.run_figures import MemoryRunFigures
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.slots import MemorySlots
from kubescribe.adapters.postgres.attempt_log import PostgresAttemptLog
from kubescribe.adapters.postgres.engine import runlog_engine
from kubescribe.adapters.postgres.event_chain import PostgresEventChain
from kubescribe.adapters.postgres.incidents import PostgresIncidents
from kubescribe.adapters.postgres.outbox import PostgresOutbox
from kubescribe.adapters.postgres.promises import PostgresPromiseBook
from kubescribe.adapters.postgres.reminders import PostgresReminders
from kubescribe.adapters.postgres.run_figures import PostgresRunFigures
from kubescribe.adapters.postgres.run_history import PostgresRunHistory
from kubescribe.adapters.postgres.run_log import PostgresRunLog
from kubescribe.adapters.postgres.slots import PostgresSlots
from kubescribe.application.ports.attempt_log import AttemptLog
from kubescribe.application.ports.event_chain import EventChain
from kubescribe.application.ports.incidents import Incidents
from kubescribe.application.ports.outbox import Outbox
from kubescribe.application.ports.promises import PromiseBook
from kubescribe.application.ports.reminders import Reminders
from kubescribe.application.ports.run_figures import RunFigureLog
from kubescribe.application.ports.run_history import RunHistory
from kubescribe.application.ports.run_log import RunLog
from kubescribe.application.ports.slots import Slots
from kubescribe.domain.event import Notice
from tests.support.addresses import asyncpg_address

T = TypeVar("T")


class World(Protocol):
    """A RunLog and a loop to use it in."""

    attempt_log: AttemptLog
    run_log: RunLog
    history: RunHistory
    chain: EventChain
    outbox_port: Outbox
    incidents: Incidents
    reminders: Reminders
    promises: PromiseBook
    figures: RunFigureLog
    slots: Slots
    ids: MemoryIds

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...

    def another(self) -> AttemptLog:
        """The RunLog of one more supervisor."""
        ...

    def another_chain(self) -> EventChain:
        """The chain of one more process."""
        ...

    def another_outbox(self) -> Outbox:
        """The outbox of one more sender."""
        ...

    def another_ledger(self) -> Slots:
        """The ledger of slots of one more process."""
        ...

    def another_book(self) -> PromiseBook:
        """The promises as one more process sees them."""
        ...

    def outbox(self) -> list[Notice]: ...

    def age(self, seconds: float) -> None:
        """Let everything that is recorded have happened earlier, while the database was up or not."""
        ...

    def close(self) -> None: ...


class MemoryWorld:
    def __init__(self, loop: asyncio.Runner) -> None:
        self.database = MemoryRunLogDatabase()
        self.attempt_log: AttemptLog = MemoryAttemptLog(self.database)
        self.run_log: RunLog = MemoryRunLog(self.database)
        self.history: RunHistory = MemoryRunHistory(self.database)
        self.chain: EventChain = MemoryEventChain(self.database)
        self.outbox_port: Outbox = MemoryOutbox(self.database)
        self.incidents: Incidents = MemoryIncidents(self.database)
        self.reminders: Reminders = MemoryReminders(self.database)
        self.promises: PromiseBook = MemoryPromiseBook(self.database)
        self.figures: RunFigureLog = MemoryRunFigures(self.database)
        self.slots: Slots = MemorySlots(self.database)
        self.ids = MemoryIds()
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def another(self) -> AttemptLog:
        return MemoryAttemptLog(self.database)

    def another_chain(self) -> EventChain:
        return MemoryEventChain(self.database)

    def another_outbox(self) -> Outbox:
        return MemoryOutbox(self.database)

    def another_ledger(self) -> Slots:
        return MemorySlots(self.database)

    def another_book(self) -> PromiseBook:
        return self.promises  # it is what it keeps

    def outbox(self) -> list[Notice]:
        return list(self.database.outbox)

    def age(self, seconds: float) -> None:
        up = self.database.now() - self.database.up_since
        self.database.advance(seconds)
        self.database.up_since = self.database.now() - up

    def close(self) -> None:
        pass


_AGE = """
SET session_replication_role = replica; -- not even the triggers keep a test from changing the past
UPDATE run SET created_at = created_at - {0}, started_at = started_at - {0}, finished_at = finished_at - {0},
    start_deadline_at = start_deadline_at - {0}, run_deadline_at = run_deadline_at - {0},
    cancel_asked_at = cancel_asked_at - {0};
UPDATE attempt SET started_at = started_at - {0}, ended_at = ended_at - {0}, lease_until = lease_until - {0};
UPDATE event SET at = at - {0};
UPDATE outbox SET created_at = created_at - {0}, since = since - {0};
UPDATE delivery SET next_at = next_at - {0};
UPDATE reminder SET at = at - {0};
UPDATE mailbox SET opens_at = opens_at - {0}, quiet_at = quiet_at - {0};
UPDATE incident SET since = since - {0}, last_at = last_at - {0}, bad_since = bad_since - {0},
    opened_at = opened_at - {0}, recovered_at = recovered_at - {0}, quiet_until = quiet_until - {0},
    acknowledged_at = acknowledged_at - {0}, snoozed_until = snoozed_until - {0};
UPDATE promise SET due_at = due_at - {0}, judged_at = judged_at - {0};
UPDATE promise_held SET since = since - {0}, looked_at = looked_at - {0};
UPDATE request_key SET created_at = created_at - {0};
UPDATE pipeline_pause SET since = since - {0}, until = until - {0};
UPDATE slot SET at = at - {0}, window_ends = window_ends - {0}, decided_at = decided_at - {0};
UPDATE slot_plan SET planned_until = planned_until - {0};
"""


class PostgresWorld:
    def __init__(self, loop: asyncio.Runner, url: str) -> None:
        self.url, self.address = url, asyncpg_address(url)
        self.engine: AsyncEngine = runlog_engine(self.address)
        self._loop = loop
        self._logs = [PostgresAttemptLog(self.address)]
        self._chains = [PostgresEventChain(self.address)]
        self._outboxes = [PostgresOutbox(self.address)]
        self._ledgers = [PostgresSlots(self.address)]
        self.slots: Slots = self._ledgers[0]
        self._figures = PostgresRunFigures(self.address)
        self.figures: RunFigureLog = self._figures
        self.attempt_log: AttemptLog = self._logs[0]
        self.run_log: RunLog = PostgresRunLog(self.engine)
        self.history: RunHistory = PostgresRunHistory(self.engine)
        self.chain: EventChain = self._chains[0]
        self.outbox_port: Outbox = self._outboxes[0]
        self.incidents: Incidents = PostgresIncidents(self.engine)
        self._reminders = PostgresReminders(self.address)
        self.reminders: Reminders = self._reminders
        self._books = [PostgresPromiseBook(self.address)]
        self.promises: PromiseBook = self._books[0]
        self.ids = MemoryIds()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def another(self) -> AttemptLog:
        self._logs.append(PostgresAttemptLog(self.address))
        return self._logs[-1]

    def another_chain(self) -> EventChain:
        self._chains.append(PostgresEventChain(self.address))
        return self._chains[-1]

    def another_outbox(self) -> Outbox:
        self._outboxes.append(PostgresOutbox(self.address))
        return self._outboxes[-1]

    def another_ledger(self) -> Slots:
        self._ledgers.append(PostgresSlots(self.address))
        return self._ledgers[-1]

    def another_book(self) -> PromiseBook:
        self._books.append(PostgresPromiseBook(self.address))
        return self._books[-1]

    def outbox(self) -> list[Notice]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT run_id, kind, pipeline, tenant, incident_id FROM outbox ORDER BY id"
            ).fetchall()
        return [
            Notice(
                run_id=None if row[0] is None else UUID(int=row[0].int),
                kind=row[1],
                pipeline=row[2],
                tenant=row[3],
                incident_id=row[4],
            )
            for row in rows
        ]

    def age(self, seconds: float) -> None:
        self.execute(_AGE.format(f"interval '{seconds} seconds'"))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for part in statement.split(";\n"):
                if part.strip():
                    connection.execute(part.encode())

    def close(self) -> None:
        async def close() -> None:
            for log in self._logs:
                await log.close()
            for chain in self._chains:
                await chain.close()
            await self._figures.close()
            await self._reminders.close()
            for book in self._books:
                await book.close()
            for ledger in self._ledgers:
                await ledger.close()
            for outbox in self._outboxes:
                await outbox.close()
            await self.engine.dispose()

        self.run(close())
