"""Notes are numbered, the newest progress wins, and nobody fills RunLog with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kubescribe.application.notebook import LIMIT, Notebook
from kubescribe.domain.note import Note, NoteKind

ATTEMPT = UUID(int=7)


def test_notes_are_numbered_in_order_and_drained_once() -> None:
    book = Notebook(ATTEMPT)
    book.add(NoteKind.METRIC, {"name": "rows", "value": 1})
    book.add(NoteKind.NOTE, {"text": "hello"})
    first = book.drain()
    book.add(NoteKind.INPUT, {"name": "q"})
    assert first == (
        Note(attempt_id=ATTEMPT, seq=1, kind=NoteKind.METRIC, data={"name": "rows", "value": 1}),
        Note(attempt_id=ATTEMPT, seq=2, kind=NoteKind.NOTE, data={"text": "hello"}),
    )
    assert [(note.seq, note.kind) for note in book.drain()] == [(3, NoteKind.INPUT)]
    assert book.drain() == ()


def test_of_progress_the_newest_between_two_writings_is_kept() -> None:
    book = Notebook(ATTEMPT)
    for number in range(1000):
        book.add(NoteKind.PROGRESS, {"fraction": number / 1000, "text": f"step {number}"})
    book.add(NoteKind.NOTE, {"text": "between"})
    book.add(NoteKind.PROGRESS, {"fraction": 1})
    assert [(note.seq, note.data) for note in book.drain()] == [
        (1, {"fraction": 0.999, "text": "step 999"}),
        (2, {"text": "between"}),
        (3, {"fraction": 1}),
    ]
    assert (book.progress, book.progress_text) == (1.0, None)
    # What was drained is on its way to RunLog, and must not change any more.
    book.add(NoteKind.PROGRESS, {"text": "on"})
    assert [note.seq for note in book.drain()] == [4]


@pytest.mark.parametrize(
    ("data", "progress", "text"),
    [
        ({"fraction": 0.5, "text": "half"}, 0.5, "half"),
        ({"fraction": 1}, 1.0, None),
        ({"fraction": "0.5", "text": 7}, None, None),
        ({"fraction": None}, None, None),
        ({}, None, None),
        ({"fraction": 10**400}, 1.0, None),
        ({"fraction": -(10**400)}, 0.0, None),
        ({"fraction": 1.5}, 1.0, None),
        ({"fraction": float("nan")}, 0.0, None),
    ],
)
def test_progress_for_the_heartbeat(data: dict[str, Any], progress: float | None, text: str | None) -> None:
    book = Notebook(ATTEMPT)
    book.add(NoteKind.PROGRESS, data)
    assert (book.progress, book.progress_text) == (progress, text)


def test_progress_on_record_is_held_to_its_bounds_too() -> None:
    book = Notebook(ATTEMPT)
    book.add(NoteKind.PROGRESS, {"fraction": 10**400, "text": "far"})
    assert [note.data for note in book.drain()] == [{"fraction": 1.0, "text": "far"}]


def test_too_many_are_left_out_and_that_is_said_once() -> None:
    book = Notebook(ATTEMPT)
    for _ in range(LIMIT + 100):
        book.add(NoteKind.METRIC, {"name": "n", "value": 1})
    notes = book.drain()
    assert len(notes) == LIMIT + 1
    assert [note.seq for note in notes] == list(range(1, LIMIT + 2))
    assert notes[-1].kind is NoteKind.NOTE and "left out" in notes[-1].data["text"]
    book.add(NoteKind.NOTE, {"text": "more"})
    assert book.drain() == ()
    # Its progress still shows: the heartbeat carries it, not the notes.
    book.add(NoteKind.PROGRESS, {"fraction": 0.9})
    assert book.progress == 0.9
