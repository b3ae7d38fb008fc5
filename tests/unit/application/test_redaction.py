"""No form of a secret passes, wherever a stream is cut."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubescribe.application.redaction import MASK, Redactor, StreamRedactor

pytestmark = pytest.mark.disable_socket

SECRET = 'p@ss w/"ö\\%'
WRITTEN = {
    "raw": SECRET,
    "percent": quote(SECRET, safe=""),
    "percent, slash kept": quote(SECRET),
    "percent, plus": quote_plus(SECRET),
    "percent, lower case": quote(SECRET, safe="")
    .replace("%2F", "%2f")
    .replace("%C3%B6", "%c3%b6")
    .replace("%5C", "%5c"),
    "json": json.dumps(SECRET)[1:-1],
    "json, utf-8": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "repr": repr(SECRET)[1:-1],
    "base64": b64encode(SECRET.encode()).decode(),
    "base64, no padding": b64encode(SECRET.encode()).decode().rstrip("="),
    "base64, for urls": urlsafe_b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("form", WRITTEN.values(), ids=WRITTEN.keys())
def test_each_form_is_replaced(form: str) -> None:
    assert Redactor([SECRET]).text(f"url=<{form}>") == f"url=<{MASK}>"


@pytest.mark.parametrize("user", ["", "a", "ab", "abc"])
def test_a_secret_inside_a_longer_base64_is_replaced(user: str) -> None:
    header = b64encode(f"{user}:hunter2hunter2:x".encode()).decode()
    redacted = Redactor(["hunter2hunter2"]).text(header)
    assert MASK in redacted
    assert len(redacted) - len(MASK) <= len(header) - 8 * 14 // 6 + 2


def test_a_secret_that_holds_another_is_replaced_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcdef") == f"{MASK} {MASK}ef"


def test_short_and_empty_secrets_are_ignored() -> None:
    assert Redactor(["", "abc"]).text("abc") == "abc"
    assert Redactor([]).forms == ()
    stream = StreamRedactor(Redactor([]))
    assert (stream.feed(b"any"), stream.flush()) == (b"any", b"")


def test_a_secret_cut_in_two_is_found() -> None:
    stream = StreamRedactor(Redactor(["hunter2!"]))
    assert stream.feed(b"password hun") == b"password "
    assert stream.feed(b"ter2! and more\n") == f"{MASK} and more\n".encode()
    assert stream.flush() == b""


def test_a_finished_line_is_not_held_back() -> None:
    stream = StreamRedactor(Redactor(["hunter2!"]))
    for line in (b"one\n", b"hun\n", b"h" * 9999 + b"\n"):
        assert stream.feed(line) == line


def test_a_complete_secret_is_replaced_at_once() -> None:
    stream = StreamRedactor(Redactor(["hunter2!"]))
    assert stream.feed(b"is hunter2!") == f"is {MASK}".encode()


def test_a_beginning_that_came_to_nothing_is_let_go() -> None:
    stream = StreamRedactor(Redactor(["hunter2!"]))
    assert stream.feed(b"hunt") == b""
    assert stream.feed(b"ing") == b"hunting"
    assert stream.feed(b"hu") == b""
    assert stream.flush() == b"hu"


def test_bytes_that_are_no_text_pass() -> None:
    stream = StreamRedactor(Redactor(["hunter2!", "\udcff\udcfe\udcfd\udcfc"]))
    assert stream.feed(b"\xff\x00hunter2!\xfe") + stream.flush() == b"\xff\x00" + MASK.encode() + b"\xfe"


def test_a_large_secret_and_a_large_log_are_quick() -> None:
    stream = StreamRedactor(Redactor(["-----BEGIN" + "Ab/+" * 800]))
    chunk = b"-----BEGIN" * 6000
    for _ in range(20):
        assert stream.feed(chunk)


ALPHABET = st.sampled_from('ab\n"%/ö=Y')
SECRETS = st.lists(st.text(ALPHABET, min_size=4, max_size=7), min_size=1, max_size=3)


@st.composite
def logs(draw: st.DrawFn) -> tuple[Redactor, str]:
    redactor = Redactor(draw(SECRETS))
    pieces = (
        st.text(ALPHABET, max_size=5)
        | st.sampled_from(redactor.forms)
        | st.sampled_from(redactor.forms).map(lambda form: form[:-1])
    )
    return redactor, "".join(draw(st.lists(pieces, max_size=8)))


@given(logs(), st.lists(st.integers(0, 300)))
@example((Redactor(["abab", "ababaYY"]), "abababaYY"), [5])
def test_however_it_is_cut_the_result_is_that_of_the_whole(log: tuple[Redactor, str], cuts: list[int]) -> None:
    redactor, text = log
    expected = redactor.text(text)
    assert not any(form in expected for form in redactor.forms)
    stream = StreamRedactor(redactor)
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    longest = max(len(form.encode()) for form in redactor.forms)
    came = b""
    for begin, end in pairwise(places):
        came += stream.feed(data[begin:end])
    held = stream.flush()
    assert (came + held).decode() == expected
    assert len(held.replace(MASK.encode(), b"")) < longest


@given(st.text(min_size=4, max_size=20).filter(lambda text: "•" not in text), st.text(), st.text())
def test_no_form_of_any_secret_appears(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    for form in redactor.forms:
        redacted = redactor.text(before + form + after)
        assert not any(each in redacted for each in redactor.forms)


@given(logs())
def test_every_byte_a_chunk(log: tuple[Redactor, str]) -> None:
    redactor, text = log
    stream = StreamRedactor(redactor)
    out = b"".join(stream.feed(bytes([byte])) for byte in text.encode()) + stream.flush()
    assert out.decode() == redactor.text(text)
