from __future__ import annotations

import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest

from kubescribe import Context, pipeline
from kubescribe.domain.errors import BadDeclaration

if TYPE_CHECKING:
    from decimal import Decimal as Missing  # only a type checker can see it


class Colour(Enum):
    RED = "red"


@pipeline(
    schedule="15 5 * * *",
    timezone="America/New_York",
    run_deadline="10m",
    start_deadline=90,
    retries=2,
    retry_delay=datetime.timedelta(seconds=30),
    reports=["delays", "league"],
    snapshot="read",
    fold="twice",
    gap="skip",
    catch_up="all",
    catch_up_limit=7,
)
def airport_delays(run: Context, month: int | None = None, *, tags: list[str] = ["a"]) -> Missing | None:  # noqa: B006
    """Departure delays.

    By month:
        - indented
    """
    return None if month is None else month + len(tags)  # type: ignore[return-value]


def test_what_is_declared_is_the_pipeline() -> None:
    declared = airport_delays.pipeline
    assert declared.name == "airport_delays"
    assert declared.description == "Departure delays.\n\nBy month:\n    - indented"
    assert (declared.schedule, declared.timezone, declared.snapshot) == ("15 5 * * *", "America/New_York", "read")
    assert (declared.run_deadline, declared.start_deadline) == (600.0, 90.0)
    assert (declared.retries, declared.retry_delay) == (2, 30.0)
    assert declared.reports == ("delays", "league")
    assert (declared.fold, declared.gap, declared.catch_up, declared.catch_up_limit) == ("twice", "skip", "all", 7)
    assert ":airport_delays (" in declared.location
    assert "test_declaration.py:" in declared.location
    assert declared.code_version is not None and len(declared.code_version) == 16
    assert declared.parameters == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "month": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "tags": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
        },
        "required": [],
        "additionalProperties": False,
    }


def test_it_stays_the_function_that_it_was() -> None:
    assert airport_delays(None, 3) == 4  # type: ignore[arg-type]


def test_it_crosses_the_wire() -> None:
    declared = airport_delays.pipeline
    assert msgspec.json.decode(msgspec.json.encode(declared), type=type(declared)) == declared


def test_without_parentheses_and_with_a_name() -> None:
    @pipeline
    def plain(run: Context) -> None: ...

    @pipeline("other-name", reports=())
    def named(run: Context, /, day: datetime.date, colour: Colour = Colour.RED) -> None: ...

    assert (plain.pipeline.name, plain.pipeline.reports, plain.pipeline.may_publish) == ("plain", None, True)
    assert (named.pipeline.name, named.pipeline.may_publish) == ("other-name", False)
    assert named.pipeline.parameters["required"] == ["day"]
    assert named.pipeline.parameters["$defs"] == {"Colour": {"title": "Colour", "enum": ["red"]}}


def test_constraints_reach_the_schema() -> None:
    @pipeline
    def limited(run: Context, month: Annotated[int, msgspec.Meta(ge=1, le=12)]) -> None: ...

    assert limited.pipeline.parameters["properties"]["month"] == {"type": "integer", "minimum": 1, "maximum": 12}


def _no_context() -> None: ...


def _untyped(run: Context, month) -> None: ...  # type: ignore[no-untyped-def]


def _args(run: Context, *months: int) -> None: ...


def _kwargs(run: Context, **months: int) -> None: ...


def _positional(run: Context, month: int, /) -> None: ...


def _complex(run: Context, x: complex) -> None: ...


def _unknown(run: Context, x: Missing) -> None: ...


def _wrong_default(run: Context, x: int = "3") -> None: ...  # type: ignore[assignment]


def _nan(run: Context, x: float = float("nan")) -> None: ...


def _yields(run: Context) -> Any:
    yield


async def _waits(run: Context) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_no_context, "first argument has to be the Context"),
        (_untyped, r"parameter month has no type; annotate it, as in month: int"),
        (_args, r"\*args and \*\*kwargs cannot be parameters"),
        (_kwargs, r"\*args and \*\*kwargs cannot be parameters"),
        (_positional, "parameters are passed by name"),
        (_complex, "parameter x has a type that JSON cannot hold: type <class 'complex'>"),
        (_unknown, "the types of its parameters cannot be found: name 'Missing' is not defined"),
        (_wrong_default, "the default of parameter x is not of its type: expected `int`, got `str`"),
        (_nan, "the default of parameter x is not of its type: it cannot be kept in JSON"),
        (_yields, "it is async or yields"),
        (_waits, "it is async or yields"),
    ],
)
def test_what_cannot_work_names_function_file_and_line(function: Any, message: str) -> None:
    line = function.__code__.co_firstlineno
    with pytest.raises(BadDeclaration, match=message) as error:
        pipeline(function)
    assert f":{function.__name__} (" in str(error.value)
    assert f"test_declaration.py:{line})" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"run_deadline": "soon"}, "run_deadline is 'soon', which is no duration"),
        ({"run_deadline": 0}, "leaves no time"),
        ({"start_deadline": True}, "start_deadline is True, which is no duration"),
        ({"retry_delay": None}, "retry_delay is None"),
        ({"retries": -1}, "less than 0"),
        ({"timezone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"timezone": "Local", "schedule": "@daily"}, "no time zone 'Local'"),
        ({"timezone": 5}, "no time zone 5"),
        ({"schedule": "0 25 * * *"}, r"schedule '0 25 \* \* \*' cannot be used: hour '25': 25 is too high"),
        ({"schedule": "0 5 * * 7", "timezone": "Asia/Tokyo"}, "Sunday is 0"),
        ({"schedule": ""}, "schedule '' cannot be used: it is empty"),
        ({"schedule": ["@daily"]}, r"schedule is \['@daily'\], and has to be text"),
        ({"snapshot": "never"}, "snapshot is 'never'"),
        ({"fold": "both"}, "fold is 'both', and may be one of 'once', 'twice'"),
        ({"gap": None}, "gap is None, and may be one of 'run_after', 'skip'"),
        ({"catch_up": "some"}, "catch_up is 'some', and may be one of 'none', 'latest', 'all'"),
        ({"catch_up": "latest"}, "without a schedule there is nothing to catch up with"),
        ({"schedule": "@daily", "catch_up_limit": 3}, "only catch_up='all' has a limit"),
        ({"schedule": "@daily", "catch_up": "all", "catch_up_limit": 0}, "catch_up_limit is 0, not between 1 and 1000"),
        ({"schedule": "@daily", "catch_up": "all", "catch_up_limit": "3"}, "catch_up_limit is '3', and has to be a"),
        ({"reports": ["Not A Name"]}, "cannot name a report"),
        ({"reports": ["a", "a"]}, "report a is declared twice"),
        ({"name": "Upper"}, "cannot name a pipeline"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: dict[str, Any], message: str) -> None:
    def function(run: Context) -> None: ...

    with pytest.raises(BadDeclaration, match=message) as error:
        pipeline(**arguments)(function)
    assert "test_declaration.py:" in str(error.value)


def test_an_object_is_no_pipeline() -> None:
    with pytest.raises(BadDeclaration, match="wants a function"):
        pipeline()(object())  # type: ignore[arg-type]
