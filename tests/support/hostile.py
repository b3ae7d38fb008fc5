"""Values that no database likes, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

characters = st.one_of(st.characters(codec="utf-8"), st.sampled_from("\0\ud800\udbff\udc00\udfff\ufffe\x1b\u202e'\\%:"))
texts = st.text(characters, max_size=40)
numbers = st.one_of(
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**300, 10**4000, -0.0, 5e-324, 1.7976931348623157e308, 1e15, 1e16]),
    st.floats(),
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
json_objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(texts, json_values, max_size=4)
