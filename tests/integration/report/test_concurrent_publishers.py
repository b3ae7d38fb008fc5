"""Several publishers, several attempts, and one that stops in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from kubescribe.application.ports.publisher import PublishRequest
from kubescribe.domain.errors import Fenced
from kubescribe.domain.report import Publication
from tests.support.modes import MODES, expect_whole, numbered
from tests.support.publishing import Attempt, World, run, small
from tests.support.report_database import ReportServer
from tests.support.steps import at
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("existing", [False, True])
def test_runs_that_publish_overlapping_sets_at_once_all_end_well(
    world: World, server: ReportServer, existing: bool
) -> None:
    names = ("a", "b", "c", "d")
    if existing:
        for name in names:
            world.published(report=name)
    attempts = [world.attempt() for _ in range(12)]
    staged = [
        tuple(attempt.stage(small(number), report=names[(number + place) % 4]) for place in (2, 0, 1))
        for number, attempt in enumerate(attempts)
    ]

    async def all_at_once() -> list[tuple[Publication, ...]]:
        return await asyncio.gather(
            *(world.publisher.publish(attempt.request, items) for attempt, items in zip(attempts, staged, strict=True))
        )

    for attempt, published in zip(attempts, run(all_at_once()), strict=True):
        assert len(published) == 3
        assert published == run(world.fences.publications(attempt.run_id))
    for name in names:
        ledger = run(world.catalogue.ledger(name))
        assert len(ledger) == 9 + existing
        shown = [item for items in staged for item in items if item.version == ledger[0].version]
        number = next(n for n, items in enumerate(staged) if shown[0] in items)
        assert min(row[0] for row in world.read(name) or ()) == number


def test_numbers_only_rise_however_many_attempts_take_at_once(world: World, server: ReportServer) -> None:
    run_id = uuid4()

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(world.fences.take(run_id, uuid4()) for _ in range(25)))

    numbers = run(all_at_once())
    with server.admin() as admin:
        assert admin.execute("SELECT fence FROM kubescribe.fence").fetchall() == [(max(numbers),)]


def test_the_number_is_drawn_after_the_wait_for_the_lock(world: World, server: ReportServer) -> None:
    old = world.attempt()
    with server.admin() as admin, server.admin() as holder, ThreadPoolExecutor(1) as thread:
        with holder.transaction():
            holder.execute("SELECT FROM kubescribe.fence FOR UPDATE")
            taking = thread.submit(world.attempt, old.run_id)
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_for(lambda: admin.execute(waiting).fetchone() == (1,), "the new attempt to wait")
            drawn = admin.execute("SELECT nextval('kubescribe.fence_number')").fetchone()
        assert drawn is not None
        assert taking.result().fence > drawn[0]


def test_an_attempt_that_takes_over_waits_for_the_publication_under_way(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.attempt()
    staged = old.stage()
    with ThreadPoolExecutor(1) as thread:
        taken: list[Future[Attempt]] = []

        def take_over() -> None:
            taken.append(thread.submit(world.attempt, old.run_id))
            with server.admin() as admin:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                wait_for(lambda: admin.execute(waiting).fetchone() == (1,), "the new attempt to wait")

        at(monkeypatch, "publish.fence_checked", take_over)
        published = old.publish(staged)
        new = taken[0].result()
    assert new.fence > old.fence
    assert new.publish(new.stage(small(9))) == published  # the run is published: nothing is changed
    assert len(run(world.catalogue.ledger("airports"))) == 1


@pytest.mark.parametrize("step", ["publish.changed", "publish.pointed"])
@pytest.mark.parametrize("mode", MODES)
def test_a_publisher_that_stops_inside_its_transaction_does_not_hold_up_its_successor(
    world: World, server: ReportServer, tmp_path: Path, mode: str, step: str
) -> None:
    first, old = world.attempt(), world.attempt()
    first.publish(numbered(first, 1, mode))
    numbered(old, 2, mode)
    order = tmp_path / "order"
    order.write_bytes(msgspec.json.encode({"kwargs": server.kwargs(), "request": old.request}))
    stopped = subprocess.Popen(
        [sys.executable, __file__, str(order)],
        env={**os.environ, "KUBESCRIBE_FAILPOINT": f"{step}=stop", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: _state(stopped.pid) == "T", "the publisher to stop")
        started = time.monotonic()
        new = world.attempt(old.run_id)
        assert new.publish(numbered(new, 3, mode))
        assert time.monotonic() - started < 3 + 5
        os.kill(stopped.pid, signal.SIGCONT)
        said, _ = stopped.communicate(timeout=30)
    finally:
        stopped.kill()
        stopped.wait()
    assert said.strip() in ("DatabaseUnavailable", "published by another")
    assert [row.attempt_id for row in run(world.catalogue.ledger("airports"))] == [new.attempt_id, first.attempt_id]
    expect_whole(world, mode, {first.run_id: 1, new.run_id: 3})


def test_a_fenced_attempt_stays_fenced_whatever_it_tries(world: World) -> None:
    old = world.attempt()
    staged = old.stage()
    world.attempt(old.run_id)
    for _ in range(3):
        with pytest.raises(Fenced):
            old.publish(staged)
    assert world.read("airports") is None


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Order(msgspec.Struct):
    kwargs: dict[str, object]
    request: PublishRequest


def main() -> None:
    """The process that is stopped."""
    from kubescribe.adapters.report.publisher import PostgresPublisher

    order = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    publisher = PostgresPublisher(order.kwargs, idle_timeout=1.0)

    async def publish() -> str:
        request = order.request
        try:
            rows = await publisher.publish(request, await publisher.staged(request.run_id, request.attempt_id))
        except Exception as error:
            return type(error).__name__
        return "published" if rows[0].attempt_id == request.attempt_id else "published by another"

    print(asyncio.run(publish()))


if __name__ == "__main__":
    main()
