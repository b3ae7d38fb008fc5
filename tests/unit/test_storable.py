"""Values that no database likes are replaced, visibly, and others are left alone."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.log import LogLine
from kubescribe.domain.storable import DEPTH_LIMIT, JSON_LIMIT, LEFT_OUT, LONGEST, TEXT_LIMIT, seconds, storable
from tests.support.hostile import json_objects, texts


def test_what_cannot_be_stored_is_shown() -> None:
    assert storable("a\0b\ud83dc") == "a␀b\\ud83dc"
    assert storable({"\0": ["\0", math.nan, -math.inf]}) == {"␀": ["␀", "nan", "-inf"]}
    endless: dict[str, Any] = {"n": 2**100_000}
    assert storable(endless) == {"n": "an integer of 100001 bits"}


@given(texts)
def test_a_text_can_be_stored(text: str) -> None:
    kept = storable(text)
    assert "\0" not in kept
    kept.encode()
    assert storable(kept) == kept


@given(json_objects)
def test_json_can_be_stored_and_stays_as_it_is_then(value: dict[str, Any]) -> None:
    kept = storable(value)
    text = json.dumps(kept, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
    assert storable(kept) == kept == json.loads(text)


def test_long_texts_are_cut_in_the_middle() -> None:
    kept = storable("a" * 1_000_000 + "z")
    assert len(kept) <= TEXT_LIMIT and kept.startswith("aaa") and kept.endswith("z")
    assert "characters left out" in kept
    assert storable(kept) == kept


def test_endless_json_ends() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    assert LEFT_OUT in json.dumps(storable({"loop": loop}), ensure_ascii=False)
    deep: Any = 1
    for _ in range(10_000):
        deep = [deep]
    assert json.dumps(storable({"deep": deep})).count("[") < DEPTH_LIMIT
    assert len(json.dumps(storable({"wide": list(range(10**6, 4 * 10**6))}))) < 20 * JSON_LIMIT


def test_other_values_become_text() -> None:
    assert storable({"set": {1}, "cause": FailureCause.ERROR, "bytes": b"x", 1: (1, 2), None: DeathCertificate}) == {
        "set": [1],
        "cause": "error",
        "bytes": "b'x'",
        "1": [1, 2],
        "None": str(DeathCertificate),
    }


def test_a_struct_is_mended_field_by_field() -> None:
    hostile = DeathCertificate(exit_code=2**70, cpu_seconds=math.inf, message="\0", log_tail=("\0",), signal=None)
    mended = DeathCertificate(exit_code=2**63 - 1, cpu_seconds=None, message="␀", log_tail=("␀",), signal=None)
    assert storable(hostile) == mended
    assert storable(mended) == mended


@given(st.floats())
def test_a_duration_is_one_that_calendars_can_hold(value: float) -> None:
    assert 0 <= seconds(value) <= LONGEST


@pytest.mark.parametrize(("told", "held"), [(-1, 0), (math.nan, 0), (math.inf, LONGEST), (1.5, 1.5)])
def test_durations(told: float, held: float) -> None:
    assert seconds(told) == held


def test_what_a_class_has_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of short lines is 400,000 structs: 0.1 ms for each would keep the supervisor from its deadline."""
    looked: list[Any] = []
    fields = msgspec.structs.fields

    def counted(kind: Any) -> Any:
        looked.append(kind)
        return fields(kind)

    monkeypatch.setattr(msgspec.structs, "fields", counted)
    line = LogLine(0.5, "out", "y")
    for _ in range(3):
        assert storable(line) == line
    assert len(looked) <= 1
