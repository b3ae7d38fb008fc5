"""The event stream takes any line, and believes a worker only what a worker may say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.application.event_stream import OfItself, decode, encode
from kubescribe.application.ports.payload import Declared, Raised, Refused, Returned, Told
from kubescribe.application.redaction import Redactor
from kubescribe.domain.note import NoteKind
from kubescribe.domain.pipeline import Pipeline

SAID_OF_ITSELF: list[OfItself] = [
    Declared(pipeline=Pipeline(name="flights", reports=("delays",)), parameters={"day": 1, "names": ["a"]}),
    Refused(message="no such pipeline"),
    Raised(error="ValueError: ü\0", exit_code=65, retry=False),
    Returned(reports=("delays", "league")),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('ab "\\\n\té€😀'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("word", SAID_OF_ITSELF, ids=lambda word: type(word).__name__)
def test_a_worker_speaks_of_itself(word: OfItself) -> None:
    line = encode(word)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    read = decode(line, of_itself=True)
    assert type(read) is type(word)
    assert msgspec.json.encode(read) == msgspec.json.encode(word).replace(b"\\u0000", "␀".encode())


@pytest.mark.parametrize("word", SAID_OF_ITSELF, ids=lambda word: type(word).__name__)
def test_a_command_is_not_believed_of_itself(word: OfItself) -> None:
    read = decode(encode(word), of_itself=False)
    assert isinstance(read, Told) and read.kind is NoteKind.NOTE


@given(kind=st.sampled_from(NoteKind), data=st.dictionaries(st.text("abc", min_size=1), json_values))
def test_what_is_told_arrives(kind: NoteKind, data: dict[str, Any]) -> None:
    told = Told(kind=kind, data=data)
    assert decode(encode(told), of_itself=True) == told


@given(line=st.binary(max_size=300), of_itself=st.booleans())
def test_any_line_becomes_a_word(line: bytes, of_itself: bool) -> None:
    word = decode(line, of_itself=of_itself)
    if not line.strip().startswith(b"{"):
        assert isinstance(word, Told) and word.kind is NoteKind.NOTE
        assert "no JSON object" in word.data["text"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"42",
        b'"type"',
        b"{}",
        b'{"type": []}',
        b'{"type": null}',
        b'{"type": "metrics"}',
        b'{"type": "declared"}',
        b'{"type": "returned", "reports": 3}',
        b'{"type": "raised", "error": "e", "exit_code": "x", "retry": false}',
        b'{"type": "note"} x',
        b'{"type": "metric", "value": NaN}',
        b'{"type": "metric", "value": 1e999}',
        b'{"type": "note", "text": "\\ud800"}',
        b'{"type": "note", "text": "\xff"}',
        b'{"a":' * 100_000,
    ],
)
def test_a_line_that_says_nothing_is_quoted(line: bytes) -> None:
    word = decode(line, of_itself=True)
    assert isinstance(word, Told) and word.kind is NoteKind.NOTE
    assert word.data["text"].endswith(line[:200].decode(errors="replace"))


@pytest.mark.parametrize("depth", [10, 300, 700, 5_000])
def test_what_is_nested_deeply_breaks_nobody_on_the_way(depth: int) -> None:
    line = b'{"type": "note", "a": ' + b"[" * depth + b"]" * depth + b"}"
    word = decode(line, of_itself=False)
    assert isinstance(word, Told)
    Redactor(["secret"]).data(word.data)
    msgspec.json.encode(word)
