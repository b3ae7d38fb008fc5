"""What is written is what any parser reads."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.application.manifests.yaml_text import yaml_text

_PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=20)
_AWKWARD = st.sampled_from(
    [
        *("yes", "No", "on", "OFF", "~", "null", "1e3", "0x1f", "017", "1_000", "1:30", ".5", "-", "-1", "=", "<<"),
        *("2026-11-22", "!x", "&a", "*b", "@c", "`d", "{e", "[f", "a:b", "a#b"),
        *("", " ", "a: b", "a #b", "# no comment", "a\nb", "\ttab", "- x", "? y", "end:", "true", "NaN", ".inf"),
        *("...", "---", "'quoted'", '"quoted"'),
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _PRINTABLE | _AWKWARD
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_PRINTABLE | _AWKWARD, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_it_is_read_as_it_was_meant(value: Any) -> None:
    assert yaml.safe_load(yaml_text(value)) == value


@given(_VALUES)
def test_it_is_the_same_each_time(value: Any) -> None:
    assert yaml_text(value) == yaml_text(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {"b": 1}}, "a:\n  b: 1\n"),
        ({"a": [1, "two"]}, "a:\n- 1\n- two\n"),
        ({"a": [{"b": 1, "c": [2]}]}, "a:\n- b: 1\n  c:\n  - 2\n"),
        ({"a": {}, "b": [], "c": None}, "a: {}\nb: []\nc: null\n"),
        ({"a": "no", "b": "1Gi", "c": "apps/v1"}, 'a: "no"\nb: "1Gi"\nc: apps/v1\n'),
    ],
)
def test_how_it_looks(value: Any, text: str) -> None:
    assert yaml_text(value) == text
