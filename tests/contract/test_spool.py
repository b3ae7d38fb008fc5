"""What waits for RunLog waits in order, and outlives whoever wrote it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

import pytest

from kubescribe.adapters.local.spool import FileSpool
from kubescribe.adapters.memory.spool import MemorySpool
from kubescribe.application.ports.spool import ClaimEntry, Entry, FinishEntry, LogEntry, NotesEntry, Spool
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from tests.support.builders import a_claim, failed, succeeded

RUN, ONE, TWO = UUID(int=1), UUID(int=2), UUID(int=3)
ENTRIES: list[Entry] = [
    ClaimEntry(1.5, a_claim(RUN, ONE, fence=7)),
    NotesEntry(2.5, (Note(attempt_id=ONE, seq=1, kind=NoteKind.METRIC, data={"value": 1.5, "name": "ü"}),)),
    LogEntry(3.5, LogChunk(attempt_id=ONE, seq=2, lines=(LogLine(0.1, "out", "a\nb"),)), (1, 1)),
    LogEntry(3.5, LogChunk(attempt_id=ONE, seq=3, lines=())),
    FinishEntry(4.5, ONE, failed(message="it broke")),
]


class World(Protocol):
    @property
    def spool(self) -> Spool: ...

    def end(self) -> None:
        """Let the writers' processes end."""
        ...


class MemoryWorld:
    def __init__(self) -> None:
        self.spool = MemorySpool()

    def end(self) -> None:
        for attempt_id in (ONE, TWO):
            self.spool.end(attempt_id)


class LocalWorld:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "deep" / "spool"
        self.spool = FileSpool(self.folder)

    def end(self) -> None:
        self.spool.close()


@pytest.fixture(params=["memory", "local"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world: World = MemoryWorld() if request.param == "memory" else LocalWorld(tmp_path)
    yield world
    world.end()


def test_nothing_waits_at_first(world: World) -> None:
    assert world.spool.entries(ONE) == ()
    assert world.spool.leftover() == ()
    world.spool.remove(ONE)


def test_entries_keep_their_order_and_their_attempt(world: World) -> None:
    for entry in ENTRIES:
        world.spool.append(ONE, entry)
        world.spool.append(TWO, FinishEntry(1.0, TWO, succeeded()))
    assert world.spool.entries(ONE) == tuple(ENTRIES)
    assert world.spool.entries(TWO) == (FinishEntry(1.0, TWO, succeeded()),) * len(ENTRIES)


def test_removed_entries_are_gone_and_others_are_not(world: World) -> None:
    for attempt_id in (ONE, TWO):
        world.spool.append(attempt_id, ENTRIES[-1])
    world.spool.remove(ONE)
    assert world.spool.entries(ONE) == ()
    assert len(world.spool.entries(TWO)) == 1
    world.spool.append(ONE, ENTRIES[0])
    assert world.spool.entries(ONE) == (ENTRIES[0],)


def test_leftover_is_what_ended_writers_have_left(world: World) -> None:
    for attempt_id in (TWO, ONE):
        world.spool.append(attempt_id, ENTRIES[-1])
    assert world.spool.leftover() == ()
    world.end()
    assert world.spool.leftover() == (ONE, TWO)
    world.spool.remove(ONE)
    assert world.spool.leftover() == (TWO,)


class TestOnDisk:
    """What only files can do."""

    def spooled(self, folder: Path) -> FileSpool:
        spool = FileSpool(folder)
        for entry in ENTRIES:
            spool.append(ONE, entry)
        spool.close()
        return spool

    def test_another_process_completes_what_a_killed_one_left(self, tmp_path: Path) -> None:
        code = """
import os, signal, sys
from pathlib import Path
from kubescribe.adapters.local.spool import FileSpool
from tests.contract.test_spool import ENTRIES, ONE
spool = FileSpool(Path(sys.argv[1]))
for entry in ENTRIES:
    spool.append(ONE, entry)
assert FileSpool(Path(sys.argv[1])).leftover() == ()
os.kill(os.getpid(), signal.SIGKILL)
"""
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
        assert done.returncode == -9
        spool = FileSpool(tmp_path)
        assert spool.leftover() == (ONE,)
        assert spool.entries(ONE) == tuple(ENTRIES)

    @pytest.mark.parametrize("kept", range(len(ENTRIES)))
    def test_a_last_entry_that_was_cut_short_is_passed_over(self, tmp_path: Path, kept: int) -> None:
        spool = self.spooled(tmp_path)
        (file,) = tmp_path.iterdir()
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:kept]) + lines[kept][:-10])
        assert spool.entries(ONE) == tuple(ENTRIES[:kept])

    def test_what_is_no_entry_is_passed_over(self, tmp_path: Path) -> None:
        spool = self.spooled(tmp_path)
        (file,) = tmp_path.iterdir()
        file.write_bytes(b'\0\0\0\n{"type": "dream"}\n' + file.read_bytes() + b"\xff\n")
        assert spool.entries(ONE) == tuple(ENTRIES)

    def test_what_json_cannot_say_is_mended(self, tmp_path: Path) -> None:
        spool = FileSpool(tmp_path)
        spool.append(ONE, FinishEntry(1.0, ONE, failed(message="a\udc80\0b", duration=float("nan"))))
        spool.close()
        (entry,) = spool.entries(ONE)
        assert isinstance(entry, FinishEntry)
        assert (entry.outcome.message, entry.outcome.duration) == ("a\\udc80␀b", 0.0)

    def test_others_may_not_read_it(self, tmp_path: Path) -> None:
        self.spooled(tmp_path / "spool")
        assert (tmp_path / "spool").stat().st_mode & 0o077 == 0

    def test_a_place_that_cannot_be_written_loses_it_without_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        spool = FileSpool(tmp_path / "file" / "spool")
        spool.append(ONE, ENTRIES[0])
        assert spool.entries(ONE) == ()
        assert spool.leftover() == ()
        spool.remove(ONE)

    def test_strange_files_are_left_alone(self, tmp_path: Path) -> None:
        for name in ("notes.jsonl", "README", f"{ONE}.jsonl.tmp"):
            (tmp_path / name).write_text("x")
        (tmp_path / f"{TWO}.jsonl").touch()  # made just now, by somebody who is about to lock it
        assert FileSpool(tmp_path).leftover() == ()
