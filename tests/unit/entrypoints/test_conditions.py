"""What a person writes after --where and --sort."""

from __future__ import annotations

import pytest

from kubescribe.domain.errors import BadRowQuery
from kubescribe.domain.report_query import Filter, Operator, Sort
from kubescribe.entrypoints.conditions import condition, names, order


@pytest.mark.parametrize(
    ("text", "column", "operator", "values"),
    [
        ("a=b", "a", "eq", ("b",)),
        ("a=", "a", "eq", ("",)),
        ("a = b ", "a", "eq", ("b ",)),
        ("a= b", "a", "eq", (" b",)),
        ("a=b=c", "a", "eq", ("b=c",)),
        ("a!=b", "a", "ne", ("b",)),
        ("a<=1", "a", "le", ("1",)),
        ("a<1", "a", "lt", ("1",)),
        ("a>=1", "a", "ge", ("1",)),
        ("a>-1", "a", "gt", ("-1",)),
        ("two words ~ x in y", "two words", "contains", ("x in y",)),
        ("a=b\nc is null", "a", "eq", ("b\nc is null",)),
        ("a is null", "a", "is_null", ("true",)),
        ("a IS NOT NULL", "a", "is_null", ("false",)),
        ('a in x,"y,z",', "a", "in", ("x", "y,z", "")),
        ('a in x,"y\nz"', "a", "in", ("x", "y\nz")),
        ("a\nin\tx", "a", "in", ("x",)),
    ],
)
def test_conditions(text: str, column: str, operator: str, values: tuple[str, ...]) -> None:
    assert condition(text) == Filter(column, Operator(operator), values)


@pytest.mark.parametrize("text", ["", "a", "=b", " =b", "a null", "in x", "is null", "a in x\ny", "a in x\ry", "a!"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(BadRowQuery, match="is no condition; write one like"):
        condition(text)


@pytest.mark.parametrize(
    "text", ["x" + " " * 200_000 + "!", "a is" + " " * 200_000 + "nul", "a in " * 40_000 + "\n\nb"]
)
def test_what_is_long_is_read_once(text: str) -> None:
    """Two patterns one after the other took seconds for eight kilobytes of spaces, and minutes for this."""
    with pytest.raises(BadRowQuery) as refused:
        condition(text)
    assert len(str(refused.value)) < 500


def test_orders_and_names() -> None:
    assert order("a, -b") == (Sort("a"), Sort("b", True))
    assert order("a b DESC,c asc,descx") == (Sort("a b", True), Sort("c"), Sort("descx"))
    assert order(None) == ()
    assert names("a,,b ") == ("a", "b")
