"""The last word of a supervisor."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.local.termination_log import TerminationFile
from kubescribe.adapters.memory.termination_log import MemoryTerminationLog
from kubescribe.application.ports.termination_log import TerminationLog
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.summary import LIMIT, Summary


class World(Protocol):
    @property
    def log(self) -> TerminationLog: ...

    def last(self) -> Summary: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.log = MemoryTerminationLog()

    def last(self) -> Summary:
        return self.log.summaries[-1]


class LocalWorld:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.log = TerminationFile(file)

    def last(self) -> Summary:
        return msgspec.json.decode(self.file.read_bytes(), type=Summary)


@pytest.fixture(params=["memory", "local"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return MemoryWorld() if request.param == "memory" else LocalWorld(tmp_path / "termination-log")


def a_summary(message: str = "it broke") -> Summary:
    return Summary(
        run_id=UUID(int=1),
        attempt_id=UUID(int=2),
        pipeline="flights",
        status=RunStatus.FAILED,
        exit_code=1,
        message=message,
    )


def test_the_last_word_stands(world: World) -> None:
    world.log.write(a_summary("a longer sentence that was written first"))
    world.log.write(a_summary("second"))
    assert world.last() == a_summary("second")


def test_a_file_is_never_longer_than_kubernetes_keeps(tmp_path: Path) -> None:
    file = tmp_path / "termination-log"
    TerminationFile(file).write(a_summary("x" * 100_000))
    assert file.stat().st_size <= LIMIT


@pytest.mark.parametrize("place", ["missing/folder/file", "folder", "file/below"])
def test_a_place_that_cannot_be_written_to_is_no_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    TerminationFile(tmp_path / place).write(a_summary())


def test_nobody_reads_it() -> None:
    TerminationFile(None).write(a_summary())
