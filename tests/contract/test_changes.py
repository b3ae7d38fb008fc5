"""Following a run: nothing is left out, nothing comes twice, and it goes on from any place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest

from kubescribe.adapters.memory.changes import MemoryChanges
from kubescribe.adapters.postgres.changes import PostgresChanges
from kubescribe.application import follow_run
from kubescribe.application.follow_run import FollowRun, Output, Place
from kubescribe.application.ports.changes import Changes
from kubescribe.domain.errors import RunNotFound
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from tests.support.builders import a_claim, a_run, failed, succeeded
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

LONG = 60.0
"""Seconds: who has to be told by this does not come to its end by polling."""


@pytest.fixture
def changes(world: World) -> Iterator[Changes]:
    if isinstance(world, MemoryWorld):
        yield MemoryChanges(world.database)
        return
    assert isinstance(world, PostgresWorld)
    postgres = PostgresChanges(world.address)
    yield postgres
    world.run(postgres.close())


def follow(world: World, changes: Changes, poll: float = LONG) -> FollowRun:
    return FollowRun(run_log=world.run_log, history=world.history, changes=changes, poll=poll)


def started(world: World, **how: Any) -> tuple[UUID, UUID]:
    claimed = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new(), **how)))
    return claimed.run.id, claimed.attempt.id


def chunk(attempt_id: UUID, seq: int) -> LogChunk:
    return LogChunk(attempt_id=attempt_id, seq=seq, lines=(LogLine(0.1, "out", f"line {seq}"),))


def test_one_is_told_of_what_is_written_about_its_run(world: World, changes: Changes) -> None:
    run_id, attempt_id = started(world)
    _, other_attempt = started(world)
    writes: dict[str, Any] = {
        "a note": lambda one: world.attempt_log.note((Note(attempt_id=one, seq=1, kind=NoteKind.NOTE, data={}),)),
        "output": lambda one: world.attempt_log.log(chunk(one, 1)),
        "the end": lambda one: world.attempt_log.finish(one, succeeded()),
    }

    async def watching() -> None:
        async with changes.watch(run_id, tenant="default") as watch:
            await watch.changed(0.2)  # the beginning may be told as well
            for name, write in writes.items():
                await write(other_attempt)
                assert not await watch.changed(0.2), f"{name} of another run"
                await write(attempt_id)
                assert await watch.changed(LONG), name
            assert not await watch.changed(0.05)

    world.run(watching())


def test_another_tenants_watch_is_told_nothing(world: World, changes: Changes) -> None:
    run_id, attempt_id = started(world)

    async def watching() -> bool:
        async with changes.watch(run_id, tenant="other") as watch:
            await watch.changed(0.2)
            await world.attempt_log.log(chunk(attempt_id, 1))
            return await watch.changed(0.2)

    assert not world.run(watching())


@pytest.mark.parametrize("poll", [LONG, 0.02], ids=["told", "polling"])
def test_events_come_until_the_end_and_go_on_after_any(world: World, changes: Changes, poll: float) -> None:
    run_id, attempt_id = started(world)

    async def work() -> list[int]:
        seen: list[int] = []

        async def listen() -> None:
            async for event in follow(world, changes, poll).events(run_id):
                assert event.seq is not None
                seen.append(event.seq)

        listening = asyncio.create_task(listen())
        while len(seen) < 2:
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        await world.attempt_log.finish(attempt_id, failed())
        await asyncio.wait_for(listening, 20)
        return seen

    seen = world.run(work())
    events = world.run(world.history.events(run_id))
    assert [event.kind for event in events] == ["run.created", "run.running", "run.failed"]
    assert seen == [event.seq for event in events]

    async def rest(after: int) -> list[int | None]:
        return [event.seq async for event in follow(world, changes).events(run_id, after=after)]

    for place, seq in enumerate(seen):
        assert world.run(rest(seq)) == seen[place + 1 :]


def test_output_comes_attempt_by_attempt_and_goes_on_after_any(
    world: World, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_run, "PAGE", 2)
    run_id, first = started(world)
    for seq in (1, 2, 3):
        world.run(world.attempt_log.log(chunk(first, seq)))
    second = world.run(world.attempt_log.claim(a_claim(run_id, world.ids.new()))).attempt.id
    for seq in (1, 2):
        world.run(world.attempt_log.log(chunk(second, seq)))
    world.run(world.attempt_log.finish(second, succeeded()))

    async def places(after: dict[int, int], attempt: int | None = None) -> list[tuple[int, int]]:
        output = follow(world, changes).output(run_id, after=after, attempt=attempt)
        return [(piece.attempt, piece.chunk.seq) async for piece in output]

    assert world.run(places({})) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert world.run(places({1: 2})) == [(1, 3), (2, 1), (2, 2)]
    assert world.run(places({1: 3, 2: 1})) == [(2, 2)]
    assert world.run(places({2: 1})) == [(2, 2)]
    assert world.run(places({1: 3, 2: 2})) == []
    assert world.run(places({}, attempt=1)) == [(1, 1), (1, 2), (1, 3)]
    assert world.run(places({2: 1}, attempt=2)) == [(2, 2)]


def test_what_an_attempt_says_late_is_told_once_wherever_one_was_cut_off(world: World, changes: Changes) -> None:
    run_id, first = started(world)
    world.run(world.attempt_log.log(chunk(first, 1)))
    second = world.run(world.attempt_log.claim(a_claim(run_id, world.ids.new()))).attempt.id
    world.run(world.attempt_log.log(chunk(second, 1)))

    async def read(after: Place, count: int) -> list[Output]:
        pieces: list[Output] = []
        async with aclosing(follow(world, changes).output(run_id, after=after)) as output:  # type: ignore[type-var]
            async for piece in output:
                pieces.append(piece)
                if len(pieces) == count:
                    break
        return pieces

    before = world.run(read({}, 2))
    world.run(world.attempt_log.log(chunk(first, 2)))
    world.run(world.attempt_log.log(chunk(second, 2)))
    world.run(world.attempt_log.finish(second, succeeded()))
    whole = {(1, 1), (1, 2), (2, 1), (2, 2)}
    for cut in (1, 2):
        place = before[cut - 1].place
        after = world.run(read(place, 10))
        told = [(piece.attempt, piece.chunk.seq) for piece in (*before[:cut], *after)]
        assert sorted(told) == sorted(whole), (cut, told)
        for again in range(len(after)):
            rest = world.run(read(after[again].place, 10))
            assert [piece.chunk for piece in rest] == [piece.chunk for piece in after[again + 1 :]]


def test_an_unknown_run_is_said_to_be_unknown(world: World, changes: Changes) -> None:
    async def first(tenant: str) -> None:
        async for _ in follow(world, changes).events(run_id, tenant=tenant):
            raise AssertionError("there is nothing")

    run_id = world.ids.new()
    with pytest.raises(RunNotFound):
        world.run(first("default"))
    world.run(world.run_log.create(a_run(run_id)))
    with pytest.raises(RunNotFound):
        world.run(first("other"))


def test_a_range_of_output_and_of_events(world: World) -> None:
    run_id, attempt_id = started(world)
    for seq in range(1, 6):
        world.run(world.attempt_log.log(chunk(attempt_id, seq)))

    def seqs(**how: Any) -> list[int]:
        return [one.seq for one in world.run(world.history.output(attempt_id, **how))]

    assert seqs(after=1, until=4) == [2, 3, 4]
    assert seqs(limit=2) == [1, 2] and seqs(after=3, limit=1) == [4] and seqs(until=0) == []
    first, second = world.run(world.history.events(run_id))
    assert world.run(world.history.events(run_id, after=first.seq or 0)) == (second,)
    assert world.run(world.history.events(run_id, limit=1)) == (first,)
