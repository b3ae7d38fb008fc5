from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID

import polars as pl

from kubescribe import Context, pipeline
from kubescribe.adapters.memory.payload import MemoryPayload
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.source import MemorySource
from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.application.ports.payload import (
    Assignment,
    Declared,
    Ended,
    Printed,
    Raised,
    Refused,
    Returned,
    Told,
    Word,
)

RUN, ATTEMPT = UUID(int=1), UUID(int=2)
ASSIGNMENT = Assignment(run_id=RUN, attempt_id=ATTEMPT, may_stage=True)


async def heard(payload: MemoryPayload) -> list[Word]:
    await payload.start(run_id=RUN, attempt_id=ATTEMPT)
    await payload.assign(ASSIGNMENT)
    async with asyncio.timeout(20):
        return [word async for word in payload.words()]


def test_it_says_what_a_worker_says(loop: asyncio.Runner) -> None:
    @pipeline
    def double(run: Context, factor: int = 2) -> None:
        print("working")
        frame = run.read("SELECT id FROM flights")
        run.report("doubled", frame.select(pl.col("id") * factor))

    database = MemoryReportDatabase()
    payload = MemoryPayload(
        double,
        {"factor": 3},
        lambda: MemorySource({"flights": pl.DataFrame({"id": [1, 2]})}),
        lambda: MemoryStaging(database),
    )
    words = loop.run(heard(payload))
    assert isinstance(words[0], Declared) and words[0].parameters == {"factor": 3}
    assert b"".join(word.data for word in words if isinstance(word, Printed)) == b"working\n"
    assert [word.kind for word in words if isinstance(word, Told)] == ["input", "output"]
    assert words[-2:] == [Returned(reports=("doubled",)), Ended(exit_code=0)]
    assert [version.frame["id"].to_list() for version in database.versions.values()] == [[3, 6]]


def test_it_refuses_what_a_worker_refuses(loop: asyncio.Runner) -> None:
    @pipeline
    def empty(run: Context) -> None: ...

    words = loop.run(heard(MemoryPayload(empty, {"x": 1})))
    assert isinstance(words[0], Refused) and "no parameter x" in words[0].message
    assert words[1:] == [Ended(exit_code=64)]


def test_an_error_is_told_and_printed(loop: asyncio.Runner) -> None:
    @pipeline
    def broken(run: Context) -> None:
        raise ValueError("no")

    words = loop.run(heard(MemoryPayload(broken, {})))
    printed = b"".join(word.data for word in words if isinstance(word, Printed)).decode()
    assert "ValueError: no" in printed and "test_memory_payload.py" in printed
    assert words[-2:] == [Raised(error="ValueError: no", exit_code=1, retry=True), Ended(exit_code=1)]


def blocked() -> tuple[Any, threading.Event, threading.Event, list[str]]:
    entered, go_on, after = threading.Event(), threading.Event(), []

    @pipeline
    def waits(run: Context) -> None:
        try:
            entered.set()
            assert go_on.wait(20)
            run.note("still here")
            after.append("wrote")
        finally:
            after.append("tidied up")

    return waits, entered, go_on, after


def test_kill_ends_it_at_once_and_its_thread_can_do_nothing_more(loop: asyncio.Runner) -> None:
    function, entered, go_on, after = blocked()
    payload = MemoryPayload(function, {})

    async def scenario() -> list[Word]:
        await payload.start(run_id=RUN, attempt_id=ATTEMPT)
        await payload.assign(ASSIGNMENT)
        assert await asyncio.to_thread(entered.wait, 20)
        payload.kill()
        words = [word async for word in payload.words()]
        go_on.set()
        assert payload.thread is not None
        await asyncio.to_thread(payload.thread.join, 20)
        payload.kill()
        payload.terminate()
        return words

    assert loop.run(scenario())[1:] == [Ended(exit_code=-9)]
    assert after == ["tidied up"]


def test_terminate_ends_it_at_its_next_call(loop: asyncio.Runner) -> None:
    function, entered, go_on, after = blocked()
    payload = MemoryPayload(function, {})

    async def scenario() -> list[Word]:
        await payload.start(run_id=RUN, attempt_id=ATTEMPT)
        await payload.assign(ASSIGNMENT)
        assert await asyncio.to_thread(entered.wait, 20)
        payload.terminate()
        go_on.set()
        return [word async for word in payload.words()]

    assert loop.run(scenario())[1:] == [Ended(exit_code=143)]
    assert after == ["tidied up"]


def test_it_can_be_ended_before_it_is_assigned(loop: asyncio.Runner) -> None:
    function, _, _, after = blocked()
    payload = MemoryPayload(function, {})

    async def scenario() -> list[Word]:
        await payload.start(run_id=RUN, attempt_id=ATTEMPT)
        payload.terminate()
        await payload.assign(ASSIGNMENT)
        return [word async for word in payload.words()]

    assert loop.run(scenario())[1:] == [Ended(exit_code=143)]
    assert after == []


def test_two_print_apart(loop: asyncio.Runner, capsys: Any) -> None:
    barrier = threading.Barrier(2, timeout=20)

    def make(text: str) -> MemoryPayload:
        @pipeline
        def prints(run: Context) -> None:
            for _ in range(3):
                barrier.wait()
                print(text)

        return MemoryPayload(prints, {})

    async def scenario() -> tuple[list[Word], list[Word]]:
        return await asyncio.gather(heard(make("one")), heard(make("other")))

    one, other = loop.run(scenario())
    assert b"".join(word.data for word in one if isinstance(word, Printed)) == b"one\n" * 3
    assert b"".join(word.data for word in other if isinstance(word, Printed)) == b"other\n" * 3
    print("mine")
    assert capsys.readouterr().out == "mine\n"
