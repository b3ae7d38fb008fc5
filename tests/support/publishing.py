"""Worlds in which reports are published, and short ways to do it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import polars as pl

from kubescribe.application.ports.fences import Fences
from kubescribe.application.ports.publisher import Publisher, PublishRequest
from kubescribe.application.ports.rehearsals import Rehearsals
from kubescribe.application.ports.report_catalogue import ReportCatalogue
from kubescribe.application.ports.report_reader import ReportReader
from kubescribe.application.ports.staging import Staging
from kubescribe.domain.checks import Check
from kubescribe.domain.report import Publication, ReportSpec, Staged

T = TypeVar("T")
SMALL = pl.DataFrame({"k": [1, 2, 3], "t": ["a", "b", None]})


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end."""
    return asyncio.run(work)


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end from inside other asynchronous work, as another process would."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def small(first: int) -> pl.DataFrame:
    """Three rows that tell one publication from another."""
    return pl.DataFrame({"k": [first, first + 1, first + 2], "t": ["a", "b", None]})


@dataclass(frozen=True)
class World:
    """The ports on one report database."""

    fences: Fences
    staging: Staging
    publisher: Publisher
    catalogue: ReportCatalogue
    reader: ReportReader
    rehearsals: Rehearsals
    read: Callable[[str], list[tuple[Any, ...]] | None]
    """What a reader gets, in any order; None where the report is not there."""
    tamper: Callable[[str, str], None]
    """Change the rows of a report behind the ledger's back: ``edit``, ``add`` or ``lose`` one, or ``swap`` two."""
    away: Callable[[], World]
    """The same ports on a report database that does not answer."""

    def attempt(self, run_id: UUID | None = None, *, slot: datetime | None = None) -> Attempt:
        """A new attempt, which takes the fence."""
        run_id, attempt_id = run_id or uuid4(), uuid4()
        return Attempt(self, run_id, attempt_id, run(self.fences.take(run_id, attempt_id)), slot)

    def published(self, frame: pl.DataFrame = SMALL, report: str = "airports", **how: Any) -> Publication:
        """One publication of one report, by a run of its own."""
        attempt = self.attempt(slot=how.pop("slot", None))
        return attempt.publish(attempt.stage(frame, report, **how))[0]


@dataclass(frozen=True)
class Attempt:
    """An attempt that holds a fence, or once did."""

    world: World
    run_id: UUID
    attempt_id: UUID
    fence: int
    slot: datetime | None = None

    @property
    def request(self) -> PublishRequest:
        return PublishRequest(
            run_id=self.run_id, attempt_id=self.attempt_id, fence=self.fence, actor="tester", slot=self.slot
        )

    def stage(
        self,
        frame: pl.DataFrame | list[pl.DataFrame] = SMALL,
        report: str = "airports",
        key: tuple[str, ...] = (),
        checks: tuple[Check, ...] = (),
        **more: Any,
    ) -> Staged:
        frames = frame if isinstance(frame, list) else [frame]
        spec = ReportSpec(name=report, key=key, checks=checks, **more)
        return self.world.staging.stage(spec, frames, run_id=self.run_id, attempt_id=self.attempt_id)

    def publish(self, *staged: Staged) -> tuple[Publication, ...]:
        return run(self.world.publisher.publish(self.request, staged))
