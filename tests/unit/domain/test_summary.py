"""A termination message always fits, and always says how the run ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.summary import LIMIT, Summary

anything = st.text(st.characters(), max_size=60)  # lone surrogates and control characters as well


def a_summary(**changes: Any) -> Summary:
    summary = Summary(
        run_id=UUID(int=1), attempt_id=UUID(int=2), pipeline="flights", status=RunStatus.FAILED, exit_code=1
    )
    return msgspec.structs.replace(summary, **changes)


@given(
    message=st.none() | st.builds(str.__mul__, anything, st.integers(0, 500)),
    pipeline=st.builds(str.__mul__, anything, st.integers(1, 100)),
    published=st.lists(st.text("abc_", min_size=1, max_size=63), max_size=100).map(tuple),
    duration=st.floats(),
    code=st.none() | st.integers(),
)
def test_never_over_the_limit(
    message: str | None, pipeline: str, published: tuple[str, ...], duration: float, code: int | None
) -> None:
    summary = a_summary(
        message=message, pipeline=pipeline, published=published, duration=duration, payload_exit_code=code, fence=code
    )
    text = summary.encoded()
    assert len(text) <= LIMIT
    read = msgspec.json.decode(text, type=Summary)
    assert (read.run_id, read.attempt_id, read.status, read.exit_code) == (UUID(int=1), UUID(int=2), "failed", 1)


@pytest.mark.parametrize("character", ["a", "é", "😀", "\x1f", '"', "\\"])
def test_the_worst_characters_fit(character: str) -> None:
    text = a_summary(message=character * 100_000, pipeline=character * 1000, published=("r" * 63,) * 100).encoded()
    assert len(text) <= LIMIT
    read = msgspec.json.decode(text, type=Summary)
    assert read.message == character * 300 + "…"
    assert read.published == ()


def test_what_fits_is_whole() -> None:
    summary = a_summary(
        status=RunStatus.SUCCEEDED,
        exit_code=0,
        cause=FailureCause.ERROR,
        message="naïve\nlines",
        fence=3,
        published=("delays", "league"),
        duration=1.5,
    )
    assert msgspec.json.decode(summary.encoded(), type=Summary) == summary


def test_the_message_gives_way_before_the_reports() -> None:
    read = msgspec.json.decode(a_summary(message="m" * 5000, published=("delays",)).encoded(), type=Summary)
    assert read.published == ("delays",)
    assert read.message == "m" * 300 + "…"


def test_what_is_no_text_is_mended() -> None:
    read = msgspec.json.decode(a_summary(message="a\udc80b", duration=float("nan")).encoded(), type=Summary)
    assert (read.message, read.duration) == ("a\\udc80b", 0.0)
