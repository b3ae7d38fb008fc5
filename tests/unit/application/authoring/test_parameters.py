from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe import Context, pipeline
from kubescribe.application.authoring.parameters import convert, to_json
from kubescribe.domain.errors import BadParameters


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Window(msgspec.Struct):
    start: dt.date
    days: int = 1


@pipeline
def example(
    run: Context,
    text: str = "x",
    maybe: str | None = None,
    month: int | None = None,
    share: float = 0.5,
    exact: Decimal = Decimal(1),
    sure: bool = False,
    day: dt.date = dt.date(2013, 1, 1),
    at: dt.datetime | None = None,
    every: dt.timedelta = dt.timedelta(hours=1),
    tags: list[str] = [],  # noqa: B006
    days: list[dt.date] = [],  # noqa: B006
    colour: Colour = Colour.RED,
    level: Level = Level.HIGH,
    kind: Literal["a", "b"] = "a",
    window: Window | None = None,
    anything: Any = None,
    limits: dict[str, int] = {},  # noqa: B006
) -> None: ...


@pipeline
def strict(run: Context, month: int, origin: str) -> None: ...


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "3", "3"),
        ("text", "null", "null"),
        ("text", "", ""),
        ("text", '["a"]', '["a"]'),
        ("maybe", "null", None),
        ("maybe", "3", "3"),
        ("month", "3", 3),
        ("month", "-3", -3),
        ("month", "null", None),
        ("share", "1e-3", 0.001),
        ("share", "1", 1.0),
        ("exact", "1.10", Decimal("1.10")),
        ("sure", "true", True),
        ("sure", "FALSE", False),
        ("sure", "1", True),
        ("day", "2013-02-28", dt.date(2013, 2, 28)),
        ("at", "2013-02-28T01:02:03Z", dt.datetime(2013, 2, 28, 1, 2, 3, tzinfo=dt.UTC)),
        ("at", "null", None),
        ("every", "PT90S", dt.timedelta(seconds=90)),
        ("tags", '["a","b"]', ["a", "b"]),
        ("tags", "[]", []),
        ("days", '["2013-01-01"]', [dt.date(2013, 1, 1)]),
        ("colour", "red", Colour.RED),
        ("level", "3", Level.HIGH),
        ("kind", "b", "b"),
        ("window", '{"start": "2013-01-01"}', Window(dt.date(2013, 1, 1))),
        ("anything", "3", 3),
        ("anything", "free text", "free text"),
        ("limits", '{"a": 1}', {"a": 1}),
    ],
)
def test_text_is_read_by_the_parameters_type(name: str, text: str, value: Any) -> None:
    values = convert(example, {name: text}, from_text=True)
    assert values[name] == value
    assert type(values[name]) is type(value)
    assert convert(example, to_json(values), from_text=False) == values


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("month", "x", "parameter month cannot be 'x': expected `int | null`, got `str`"),
        ("month", "3.5", "parameter month cannot be '3.5': expected `int | null`, got `str`"),
        ("sure", "yes", "parameter sure cannot be 'yes': expected `bool`, got `str`"),
        ("day", "2013-02-30", "parameter day cannot be '2013-02-30': invalid RFC3339 encoded date"),
        ("tags", "a,b", "parameter tags cannot be 'a,b': expected `array`, got `str`"),
        ("tags", "[1]", "parameter tags cannot be '[1]': expected `str`, got `int` - at `$[0]`"),
        ("tags", '["a"', "parameter tags cannot be '[\"a\"': input data was truncated"),
        ("colour", "blue", "parameter colour cannot be 'blue': invalid enum value 'blue'"),
        ("share", "nan", "parameter share cannot be 'nan': it cannot be kept in JSON"),
        ("window", '{"days": 2}', "object missing required field `start`"),
        ("limits", "[" * 10_000, "parameter limits cannot be '[[["),
    ],
)
def test_what_does_not_fit_is_a_sentence(name: str, text: str, problem: str) -> None:
    with pytest.raises(BadParameters) as error:
        convert(example, {name: text}, from_text=True)
    assert problem.lower() in str(error.value).lower()
    assert len(str(error.value)) < 400


def test_all_problems_come_at_once() -> None:
    with pytest.raises(BadParameters) as error:
        convert(strict, {"moth": "3", "zzz": "", "month": "x"}, from_text=True)
    assert str(error.value) == (
        "pipeline strict: there is no parameter moth; did you mean month?; there is no parameter zzz; "
        "there is month, origin; parameter month cannot be 'x': expected `int`, got `str`; parameter origin is missing"
    )


def test_a_pipeline_without_parameters_says_so() -> None:
    @pipeline
    def none(run: Context) -> None: ...

    with pytest.raises(BadParameters, match="there is no parameter x; it takes none"):
        convert(none, {"x": "1"}, from_text=True)


@pytest.mark.parametrize(("name", "value"), [("month", "3"), ("sure", 1), ("tags", "[]"), ("text", 3)])
def test_recorded_values_are_strict(name: str, value: Any) -> None:
    with pytest.raises(BadParameters, match=f"parameter {name} cannot be"):
        convert(example, {name: value}, from_text=False)


def test_a_default_is_each_runs_own() -> None:
    convert(example, {}, from_text=True)["tags"].append("changed")
    assert convert(example, {}, from_text=True)["tags"] == []


def test_the_record_holds_the_defaults() -> None:
    recorded = to_json(convert(example, {"month": "3"}, from_text=True))
    assert recorded["month"] == 3
    assert (recorded["day"], recorded["exact"], recorded["colour"]) == ("2013-01-01", "1", "red")


@given(st.text(max_size=30), st.sampled_from([p.name for p in example.parameters]))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    try:
        values = convert(example, {name: text}, from_text=True)
    except BadParameters:
        return
    assert convert(example, to_json(values), from_text=False) == values
