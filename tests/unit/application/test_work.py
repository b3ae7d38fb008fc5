from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe import Context, GiveUp, Retry, pipeline
from kubescribe.application.authoring.context import Tools
from kubescribe.application.authoring.failure import Abandoned
from kubescribe.application.ports.payload import Assignment, Raised, Returned
from kubescribe.application.work import ERROR_LIMIT, WorkEnd, perform
from kubescribe.domain.errors import DatabaseUnavailable, QueryFailed, UnsupportedType


class Panic(BaseException):
    """As a driver raises it from Rust."""


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


def end_of(work: Callable[[Context], object], reports: tuple[str, ...] | None = None) -> WorkEnd:
    @pipeline
    def function(run: Context) -> None:
        work(run)

    context = Context(
        Assignment(run_id=UUID(int=1), attempt_id=UUID(int=2)),
        Tools(lambda kind, data: None, None, None),
        reports=reports,
    )
    return perform(function, {}, context)


def raising(error: BaseException) -> Callable[[Context], object]:
    def work(run: Context) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "retry", "text"),
    [
        (ValueError("no"), 1, True, "ValueError: no"),
        (ValueError(), 1, True, "ValueError"),
        (msgspec.ValidationError("no"), 1, True, "msgspec.ValidationError: no"),
        (MemoryError(), 1, True, "MemoryError"),
        (Panic("cast"), 1, True, "test_work.Panic: cast"),
        (Retry("later", after=30), 1, True, "Retry: later"),
        (GiveUp("never"), 1, False, "GiveUp: never"),
        (QueryFailed("q", "no"), 1, True, "query q failed: no"),
        (DatabaseUnavailable("production", "gone"), 75, True, "the production database does not answer: gone"),
        (UnsupportedType("query q", "c", "t", "cast it"), 65, False, "query q: column c has type t"),
        (KeyboardInterrupt(), 130, False, "KeyboardInterrupt"),
        (SystemExit("a sentence"), 1, True, "SystemExit: a sentence"),
        (Unspeakable(), 1, True, "Unspeakable: (its text cannot be had: ValueError)"),
        (ExceptionGroup("two", [ValueError("a"), TypeError("b")]), 1, True, "ExceptionGroup: two (2 sub-exceptions)"),
    ],
)
def test_an_error_is_told_with_its_code(error: BaseException, code: int, retry: bool, text: str) -> None:
    end = end_of(raising(error))
    assert isinstance(end.word, Raised)
    assert (end.exit_code, end.word.exit_code, end.word.retry) == (code, code, retry)
    assert text in end.word.error
    assert end.error is error
    assert end.word.after == (30 if isinstance(error, Retry) else None)


@pytest.mark.parametrize(("code", "ends"), [(3, 3), (65, 65), (256, 1), (-1, 255), (143, 143)])
def test_an_exit_code_is_the_payloads_own(code: int, ends: int) -> None:
    assert end_of(raising(SystemExit(code))) == WorkEnd(ends)


@pytest.mark.parametrize("code", [0, None])
def test_leaving_with_success_is_an_end_like_any_other(code: int | None) -> None:
    assert end_of(raising(SystemExit(code))) == WorkEnd(0, Returned(reports=()))
    assert end_of(raising(SystemExit(code)), reports=("x",)).exit_code == 64  # nothing to stage it in


def test_coming_to_the_end_is_told() -> None:
    assert end_of(lambda run: run.note("done")) == WorkEnd(0, Returned(reports=()))


def test_an_abandoned_attempt_says_nothing_more() -> None:
    assert end_of(raising(Abandoned())) == WorkEnd(77)


@pytest.mark.parametrize("text", ["x" * 10_000_000, "ü" * 10_000, "a\0b" * 9_000, "\ud800" * 9_000])
def test_a_long_or_broken_text_is_cut_to_what_can_be_kept(text: str) -> None:
    end = end_of(raising(ValueError(text)))
    assert isinstance(end.word, Raised)
    assert 8_000 < len(end.word.error.encode()) <= ERROR_LIMIT
    assert "\0" not in end.word.error
    assert end.word.error.startswith(f"ValueError: {text[:1].encode(errors='backslashreplace').decode()}")


def test_the_source_is_released_whatever_happens() -> None:
    released: list[str] = []

    class Source:
        def read(self, *args: Any, **kwargs: Any) -> Any:
            raise QueryFailed("q", "no")

        def relay(self, *args: Any, **kwargs: Any) -> Any:
            raise QueryFailed("q", "no")

        def done(self) -> None:
            released.append("done")

    @pipeline
    def function(run: Context) -> None:
        run.read("SELECT 1")

    context = Context(
        Assignment(run_id=UUID(int=1), attempt_id=UUID(int=2)), Tools(lambda kind, data: None, Source, None)
    )
    assert perform(function, {}, context).exit_code == 1
    assert released == ["done"]
