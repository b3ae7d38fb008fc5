"""The tokenizer against the server's own lexer: what is a bind, and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Open

pytestmark = pytest.mark.integration

TEXT = st.text(alphabet=":ab1'\"\\$/*-[]; \n%?", max_size=12)


def plain(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def continued(text: str) -> str:
    half = len(text) // 2
    return f"{plain(text[:half])} -- it's :not\n  {plain(text[half:])}"


def dollar(text: str) -> str:
    return f"$q${text.replace('$q$', '')}$q$"


def double(text: str) -> str:
    return f"$${text.replace('$', '')}$$"


LITERALS: dict[Callable[[str], str], Callable[[str], str]] = {
    plain: lambda text: text,
    escaped: lambda text: text,
    continued: lambda text: text,
    dollar: lambda text: text.replace("$q$", ""),
    double: lambda text: text.replace("$", ""),
}
"""Ways to write a text, and what of it can be written so."""

between = st.sampled_from(["", " ", "\n", " -- :x 'y\n", "/* :x /* ' */ \" */", " /**/ "])


@st.composite
def columns(draw: st.DrawFn) -> tuple[str, Any, dict[str, Any]]:
    """An expression, what it is, and the binds that it takes."""
    kind = draw(st.sampled_from(["literal", "bind", "slice", "cast", "array", "alias"]))
    text = draw(TEXT)
    if kind == "literal":
        literal = draw(st.sampled_from(list(LITERALS)))
        return literal(text), LITERALS[literal](text), {}
    if kind == "bind":
        return ":a||:b", text + "b", {"a": text, "b": "b"}
    if kind == "slice":
        return "(ARRAY['x','y','z'])[1:two]", "{x,y}", {}
    if kind == "cast":
        return f":c::text || {plain(text)}::text", "c" + text, {"c": "c"}
    if kind == "array":
        return "(ARRAY[:d,:e]::text[])[:i]", "e", {"d": "d", "e": "e", "i": 2}
    return f'(SELECT s.":a" FROM (SELECT {plain(text)}) s(":a"))', text, {}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.tuples(columns(), between), min_size=1, max_size=6))
def test_the_server_reads_the_text_as_we_do(open_source: Open, parts: list[tuple[Any, str]]) -> None:
    text = ",".join(f"{space}{one[0]}{space} AS c{number}" for number, (one, space) in enumerate(parts))
    expected: list[Any] = []
    binds: dict[str, Any] = {}
    for (expression, value, own), _ in parts:
        # A later bind of the same name has the later value for all.
        binds |= own
        expected.append((expression, value))
    source = open_source(snapshot="read")
    (frame,) = source.read(f"SELECT {text} FROM (SELECT 2 AS two) t", binds, name="q", batch=None)
    source.done()
    for (expression, value), found in zip(expected, frame.row(0), strict=True):
        assert found == (binds["a"] + "b" if expression == ":a||:b" else value)


def test_one_name_is_one_value_wherever_it_stands(open_source: Open) -> None:
    query = "SELECT :x::int AS a, count(*) AS n FROM generate_series(1, :x) g GROUP BY :x::int"
    (frame,) = open_source().read(query, {"x": 3}, name="q", batch=None)
    assert frame.row(0) == (3, 3)
