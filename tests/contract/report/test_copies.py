"""What every adapter promises of rows that come undecoded: the modes are what they are for frames."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from kubescribe.adapters.memory.staging import MemoryStaging
from kubescribe.application.ports.source import ARROW_IPC, POSTGRES_BINARY, InputRecord
from kubescribe.application.report_columns import columns_of
from kubescribe.domain.errors import ReportMismatch
from kubescribe.domain.mode import SchemaRule
from kubescribe.domain.report import Publication, ReportSpec
from tests.support.modes import IN_PLACE, MODES
from tests.support.publishing import World, run

from .test_modes import AFTER, FIGURES, FIRST, SECOND, rows_of


class Handed:
    """The rows of a frame of whole numbers and texts, as a source hands them on."""

    def __init__(self, frame: pl.DataFrame, form: str) -> None:
        self.columns, self.format = columns_of("handed", frame.schema), form
        self._frame = frame

    def __iter__(self) -> Iterator[bytes]:
        if self.format == ARROW_IPC:
            written = io.BytesIO()
            self._frame.write_ipc_stream(written)
            yield written.getvalue()
            return
        yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
        for row in self._frame.rows():
            yield struct.pack("!h", len(row)) + b"".join(map(_field, row))
        yield b"\xff\xff"

    def record(self) -> InputRecord:
        return InputRecord(
            name="handed",
            query_hash="0" * 16,
            rows=self._frame.height,
            bytes=0,
            seconds=0.0,
            fingerprint="0" * 16,
            snapshot=None,
        )


def _field(value: int | str | None) -> bytes:
    if value is None:
        return struct.pack("!i", -1)
    data = struct.pack("!q", value) if isinstance(value, int) else value.encode()
    return struct.pack("!i", len(data)) + data


def copied(world: World, frame: pl.DataFrame, **how: Any) -> Publication:
    attempt = world.attempt()
    rows = Handed(frame, ARROW_IPC if isinstance(world.staging, MemoryStaging) else POSTGRES_BINARY)
    spec = ReportSpec(name="airports", **how)
    staged = world.staging.relay(spec, rows, run_id=attempt.run_id, attempt_id=attempt.attempt_id)
    return attempt.publish(staged)[0]


@pytest.mark.parametrize("mode", MODES)
def test_a_copy_does_what_its_mode_says(world: World, mode: str) -> None:
    copied(world, FIRST, **MODES[mode])
    row = copied(world, SECOND, **MODES[mode])
    assert rows_of(world) == sorted(AFTER[mode], key=str)
    assert (row.mode, row.rows) == (mode, 2)
    assert (row.inserted, row.updated, row.deleted, row.total) == FIGURES[mode]
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", IN_PLACE)
def test_copies_and_frames_take_turns_in_one_report(world: World, mode: str) -> None:
    world.published(FIRST, **MODES[mode])
    copied(world, SECOND, **MODES[mode])
    assert rows_of(world) == sorted(AFTER[mode], key=str)
    assert run(world.catalogue.verify("airports")).differences == ()


@pytest.mark.parametrize("mode", IN_PLACE)
def test_a_copy_in_another_mode_is_refused(world: World, mode: str) -> None:
    world.published(FIRST)
    with pytest.raises(ReportMismatch, match=f"it is published in mode replace, and not {mode}"):
        copied(world, SECOND, **MODES[mode])
    assert rows_of(world) == sorted(FIRST.rows(), key=str)


@pytest.mark.parametrize("mode", MODES)
def test_a_copy_of_other_columns_is_refused_or_makes_the_report_anew(world: World, mode: str) -> None:
    copied(world, FIRST, **MODES[mode])
    other = SECOND.rename({"t": "text"})
    with pytest.raises(ReportMismatch, match="column t is missing"):
        copied(world, other, **MODES[mode])
    row = copied(world, other, schema=SchemaRule.RECREATE, **MODES[mode])
    assert (row.generation, row.mode) == (2, mode)
    assert rows_of(world) == sorted(SECOND.rows(), key=str)
