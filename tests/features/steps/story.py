"""What the steps of a scenario tell each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from kubescribe.domain.report_query import RowQuery
from kubescribe.domain.version_difference import VersionDifference
from tests.features.world import Browsed, Ended, Follower, Record, World


class Story:
    """What happened so far in the scenario."""

    def __init__(self) -> None:
        self.pipeline = ""
        self.slot: datetime | None = None
        self.ended = Ended(-1, "nothing has run yet")
        self.run_id: UUID | None = None
        self.runs: list[UUID] = []
        """Those that were asked for, in their order."""
        self.pages: list[UUID] = []
        self.first_rows: list[dict[str, Any]] | None = None
        self.first_run: UUID | None = None
        self.browsed: list[Browsed] = []
        self.question = RowQuery(report="")
        self.compared: VersionDifference | None = None
        self.follower: Follower | None = None
        self.lines: list[str] = []
        """Of the log, as they were seen."""
        self.place: str | None = None
        self.anchor: str | None = None


def the_record(world: World, story: Story) -> Record:
    assert story.run_id is not None, story.ended.told
    return world.record(story.run_id)


def the_notes(world: World, story: Story, kind: str) -> list[dict[str, Any]]:
    return [note.data for note in the_record(world, story).notes if note.kind == kind]


def it_runs(world: World, story: Story, parameters: dict[str, str], retries: int | None = None) -> None:
    story.ended = world.run(story.pipeline, parameters, retries=retries)
    story.run_id = story.ended.run_id
