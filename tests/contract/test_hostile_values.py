"""The record always goes in, whatever is in it (FAULTS D17)."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubescribe.application.ports.attempt_log import Beat
from kubescribe.domain import run as steps
from kubescribe.domain.attempt import DeathCertificate, Whereabouts
from kubescribe.domain.event import Event
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.storable import TEXT_LIMIT, storable
from tests.support.builders import LONG_AGO, a_claim, a_run, failed
from tests.support.hostile import json_objects, numbers, texts
from tests.support.runlogs import World

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
floats = st.one_of(st.floats(), st.none())
sizes = st.one_of(st.integers(), st.none())


@many
@given(text=texts, parameters=json_objects, lease=st.floats(), deadline=st.floats(), ago=st.floats())
def test_in_a_claim(
    world: World, text: str, parameters: dict[str, Any], lease: float, deadline: float, ago: float
) -> None:
    claim = a_claim(
        world.ids.new(),
        world.ids.new(),
        pipeline=text,
        parameters=parameters,
        actor=text,
        reason=text,
        code_version=text,
        whereabouts=Whereabouts(host=text, boot_id=text, pid=2**70),
        lease=lease,
        run_deadline=deadline,
    )
    first = world.run(world.attempt_log.claim(claim, ago=ago))
    assert world.run(world.run_log.get(claim.run_id)) == first.run
    assert world.run(world.history.attempts(claim.run_id)) == (first.attempt,)
    assert first.run.parameters == storable(parameters)
    assert world.run(world.attempt_log.claim(claim, ago=ago)).attempt == first.attempt
    # what was read is what the next attempt says, and it is still the same run
    second = a_claim(claim.run_id, world.ids.new(), pipeline=first.run.pipeline, parameters=first.run.parameters)
    assert world.run(world.attempt_log.claim(second)).attempt.number == 2


@many
@given(text=texts, value=floats, size=sizes, parameters=json_objects)
def test_in_everything_an_attempt_tells(
    world: World, text: str, value: Any, size: Any, parameters: dict[str, Any]
) -> None:
    claimed = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new())))
    attempt_id = claimed.attempt.id
    beat = Beat(attempt_id=attempt_id, lease=60, progress=value, progress_text=text, memory=size, cpu_seconds=value)
    assert world.run(world.attempt_log.beat(beat)).current
    note = Note(attempt_id=attempt_id, seq=1, kind=NoteKind.METRIC, data=parameters)
    world.run(world.attempt_log.note((note,)))
    line = LogLine(1.0 if value is None else value, text, text)
    world.run(world.attempt_log.log(LogChunk(attempt_id=attempt_id, seq=1, lines=(line,))))
    certificate = DeathCertificate(
        cause=FailureCause.ERROR,
        exit_code=size,
        signal=text,
        memory_peak=size,
        cpu_seconds=value,
        message=text,
        log_tail=(text, text),
        recorded_by=text,
    )
    outcome = failed(certificate=certificate, duration=math.nan if value is None else value)
    run = world.run(world.attempt_log.finish(attempt_id, outcome))
    assert run == world.run(world.run_log.get(run.id))
    (kept,) = world.run(world.history.attempts(run.id))
    assert kept.certificate == storable(certificate)
    assert kept.progress_text == storable(text)
    (kept_note,) = world.run(world.history.notes(run.id))
    assert kept_note.data == storable(parameters)
    (kept_chunk,) = world.run(world.history.output(attempt_id))
    assert kept_chunk.lines == (storable(line),)
    assert world.run(world.history.events(run.id))[-1].data["from"] == "running"


@many
@given(text=texts, data=json_objects, deadline=floats)
def test_in_what_everybody_else_tells(world: World, text: str, data: dict[str, Any], deadline: Any) -> None:
    run = a_run(world.ids.new(), pipeline=text, actor=text, reason=text, parameters=data)
    run = world.run(world.run_log.create(run, start_deadline=deadline))
    assert world.run(world.run_log.get(run.id)) == run
    moved = world.run(
        world.run_log.move(run.id, RunStatus.PENDING, lambda r, at: steps.uncertain(r, actor=text, at=at, why=text))
    )
    assert moved == world.run(world.run_log.get(run.id))
    event = Event(subject=text, kind=text, actor=text, at=LONG_AGO, run_id=run.id, data=data)
    world.run(world.run_log.record(event))
    *_, kept = world.run(world.history.events(run.id))
    assert kept == msgspec.structs.replace(storable(event), at=kept.at, seq=kept.seq)


@pytest.mark.parametrize("character", ["a", "\0", "\ud800", "𝄞"])
def test_ten_megabytes_are_cut_and_say_so(world: World, character: str) -> None:
    text = character * 10_000_000
    claimed = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new())))
    note = Note(attempt_id=claimed.attempt.id, seq=1, kind=NoteKind.NOTE, data={"text": text, text: 1})
    world.run(world.attempt_log.note((note,)))
    run = world.run(world.attempt_log.finish(claimed.attempt.id, failed(message=text)))
    assert run.message is not None and len(run.message) <= 4000 and "left out" in run.message
    (attempt,) = world.run(world.history.attempts(run.id))
    assert attempt.certificate is not None and attempt.certificate.message is not None
    assert len(attempt.certificate.message) <= TEXT_LIMIT and "left out" in attempt.certificate.message


@many
@given(number=numbers)
def test_a_number_comes_back_as_it_was(world: World, number: float) -> None:
    run = world.run(world.run_log.create(a_run(world.ids.new(), parameters={"number": number})))
    kept = world.run(world.run_log.get(run.id)).parameters["number"]
    assert kept == storable({"number": number})["number"]
    if isinstance(number, float) and math.isfinite(number):
        assert kept == number and isinstance(kept, float)
