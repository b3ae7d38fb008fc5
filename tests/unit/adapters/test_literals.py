"""What a literal looks like; that it means what the bind means, the server says (tests/integration/source)."""

from __future__ import annotations

import pytest

from kubescribe.adapters.source.literals import literal


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (None, "integer", "CAST(NULL AS integer)"),
        (b"-5", "integer", "CAST('-5' AS integer)"),
        (b"it's", "text", "CAST('it''s' AS text)"),
        (b"\\' OR true --", "text", "CAST('\\'' OR true --' AS text)"),
        ("é😀".encode(), '"Mood"', "CAST('é😀' AS \"Mood\")"),
        (b"{1,NULL}", "integer[]", "CAST('{1,NULL}' AS integer[])"),
    ],
)
def test_a_literal_is_the_quoted_text_and_its_type(text: bytes | None, kind: str, expected: str) -> None:
    assert literal(text, kind) == expected


@pytest.mark.parametrize("text", [b"a\0b", b"\xff", "a\ud800".encode(errors="surrogatepass")])
def test_what_no_text_can_hold_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        literal(text, "text")
