"""What readers of a run's details may rely on; what is written is tested with those who write it."""

from __future__ import annotations

import pytest

from kubescribe.domain.errors import RunNotFound
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run_record import RunRecord
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, a_run, failed
from tests.support.runlogs import World


def test_an_unknown_run_has_no_details(world: World) -> None:
    unknown = world.ids.new()
    assert world.run(world.history.attempts(unknown)) == ()
    assert world.run(world.history.events(unknown)) == ()
    assert world.run(world.history.notes(unknown)) == ()
    assert world.run(world.history.output(unknown)) == ()


def test_attempts_come_in_their_order_whatever_their_ids(world: World) -> None:
    run_id, later, earlier = world.ids.new(), *sorted((world.ids.new(), world.ids.new()))
    for attempt_id in (earlier, later):
        world.run(world.attempt_log.claim(a_claim(run_id, attempt_id)))
        world.run(world.attempt_log.finish(attempt_id, failed(status=RunStatus.PENDING)))
    assert [attempt.id for attempt in world.run(world.history.attempts(run_id))] == [earlier, later]


def test_events_are_numbered_in_the_order_of_writing(world: World) -> None:
    runs = [world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new()))).run for _ in range(3)]
    for run in reversed(runs):
        assert run.attempt_id is not None
        world.run(world.attempt_log.finish(run.attempt_id, failed()))
    for run in runs:
        events = world.run(world.history.events(run.id))
        assert [event.kind for event in events] == ["run.created", "run.running", "run.failed"]
        numbers = [event.seq or 0 for event in events]
        assert numbers == sorted(set(numbers)) and numbers[0] > 0


def test_a_hundred_thousand_lines_come_back(world: World) -> None:
    claimed = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new())))
    lines = tuple(LogLine(number / 7, "out", f"line {number}") for number in range(100_000))
    chunk = LogChunk(attempt_id=claimed.attempt.id, seq=1, lines=lines)
    world.run(world.attempt_log.log(chunk))
    assert world.run(world.history.output(claimed.attempt.id)) == (chunk,)


def test_a_record_is_what_its_parts_are(world: World) -> None:
    run_id, first, second = world.ids.new(), world.ids.new(), world.ids.new()
    for attempt_id in (first, second):
        world.run(world.attempt_log.claim(a_claim(run_id, attempt_id)))
        notes = (
            Note(attempt_id=attempt_id, seq=2, kind=NoteKind.METRIC, data={"name": "rows", "value": 1e300}),
            Note(
                attempt_id=attempt_id, seq=1, kind=NoteKind.NOTE, data={"text": "ä 😀 \"' {[", "deep": [{}, None, 0.5]}
            ),
        )
        world.run(world.attempt_log.note(notes))
        world.run(world.attempt_log.finish(attempt_id, failed(status=RunStatus.PENDING)))
    record = world.run(world.history.record(run_id))
    assert record == RunRecord(
        run=world.run(world.run_log.get(run_id)),
        attempts=world.run(world.history.attempts(run_id)),
        notes=world.run(world.history.notes(run_id)),
        events=world.run(world.history.events(run_id)),
    )
    assert [attempt.id for attempt in record.attempts] == [first, second]
    assert [(note.attempt_id, note.seq) for note in record.notes] == [(first, 1), (first, 2), (second, 1), (second, 2)]
    assert len(record.events) == 5


def test_a_run_that_nothing_has_happened_to_has_a_record(world: World) -> None:
    run = world.run(world.run_log.create(a_run(world.ids.new())))
    record = world.run(world.history.record(run.id))
    assert (record.run, record.attempts, record.notes, len(record.events)) == (run, (), (), 1)


def test_there_is_no_record_of_an_unknown_run_or_another_tenants(world: World) -> None:
    run = world.run(world.run_log.create(a_run(world.ids.new())))
    for run_id, tenant in ((world.ids.new(), run.tenant), (run.id, "other")):
        with pytest.raises(RunNotFound):
            world.run(world.history.record(run_id, tenant=tenant))
