"""Faults around ``kubescribe publish``: the report is the file before or the file now, as the record says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubescribe.domain.mode import Mode
from tests.support.family import COLUMNS, Part
from tests.support.faults import Action, Fault, play
from tests.support.run_steps import STAGING_A_FILE
from tests.support.story import Story
from tests.support.world import World

pytestmark = pytest.mark.faults

REPORT = "r3"
AMID = "stage.copied"


class Files:
    """Files of which each has other rows, published one after the other."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "rows.csv"
        self._written = 0
        self._world: World | None = None
        self.shown = 0

    def work(self) -> tuple[str, ...]:
        """What publishes the next one."""
        self._written += 1
        lines = [f"{n},a,{n}.5,file {self._written},none,3" for n in range(3)]
        self._file.write_text("\n".join([",".join(COLUMNS), *lines, ""]))
        return "publish", REPORT, str(self._file), "--key", "n", "--name", "files"

    def play(self, world: World, step: str, action: Action) -> Story:
        """A fault while the next file is published."""
        if world is not self._world:  # another one is made where a bug has damaged its reports
            self._world = world
            assert self.play(world, AMID, Action.NOTHING).status == "succeeded"
        story = play(world, Fault(step, action, work=self.work()), (Part(REPORT, Mode.REPLACE, rows=3),))
        if story.ledger:
            self.shown = self._written
        assert world.rows("report", f"SELECT DISTINCT marker, total FROM reports.{REPORT}") == [
            {"marker": f"file {self.shown}", "total": 3}
        ]
        return story


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("step", STAGING_A_FILE)
def test_a_worker_that_is_killed_is_tried_again(world: World, files: Files, step: str) -> None:
    files.play(world, step, Action.KILL_WORKER)


@pytest.mark.parametrize(
    ("step", "action", "status"),
    [
        (AMID, Action.KILL_WORKER_AT_LAST, "failed"),
        (AMID, Action.KILL_SUPERVISOR, "lost"),
        ("publish.pointed", Action.KILL_SUPERVISOR, "lost"),
        ("publish.committed", Action.KILL_SUPERVISOR, "succeeded"),
        (AMID, Action.KILL_AND_RETRY, "succeeded"),
        (AMID, Action.STOP_AND_RETRY, "succeeded"),
        (AMID, Action.STOP_AND_GIVE_UP, "failed"),
        (AMID, Action.STOP_AND_LOSE, "lost"),
        (AMID, Action.CRASH_REPORT, "failed"),
        (AMID, Action.AWAY_REPORT, "failed"),
        ("publish.pointed", Action.CRASH_REPORT, None),
        (AMID, Action.CRASH_RUNLOG, "succeeded"),
        ("attempt.published", Action.AWAY_RUNLOG, "succeeded"),
        ("publish.pointed", Action.CUT_REPORT, "succeeded"),
        ("publish.pointed", Action.CUT_REPORT_BEFORE, "succeeded"),
    ],
)
def test_faults(world: World, files: Files, step: str, action: Action, status: str | None) -> None:
    story = files.play(world, step, action)
    assert status is None or story.status == status, story
