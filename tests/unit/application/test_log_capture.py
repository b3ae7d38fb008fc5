"""Output on its way into RunLog: whatever is printed, the beginning and the end are kept, and no more than the cap."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.application.log_capture import LAST, OVERHEAD, PIECE, LogCapture, Write
from kubescribe.domain.log import LogLine

ATTEMPT = UUID(int=7)
SMALL = 4096


def capture(cap: int = SMALL) -> LogCapture:
    return LogCapture(ATTEMPT, cap, itertools.count(0.5).__next__)


def replayed(writes: list[Write]) -> list[LogLine]:
    """What RunLog holds after the writes."""
    chunks: dict[int, tuple[LogLine, ...]] = {}
    for chunk, forget in writes:
        assert chunk.attempt_id == ATTEMPT
        assert chunk.seq not in chunks
        chunks[chunk.seq] = chunk.lines
        if forget is not None:
            assert forget[0] <= forget[1] < chunk.seq
            for seq in range(forget[0], forget[1] + 1):
                del chunks[seq]  # each was kept until now
    return [line for seq in sorted(chunks) for line in chunks[seq]]


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines if line.stream != "ks"]


def said(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines if line.stream == "ks"]


def weight(lines: list[LogLine]) -> int:
    return sum(len(line.text.encode()) + OVERHEAD for line in lines if line.stream != "ks")


def held(log: LogCapture) -> int:
    """What waits in memory."""
    return sum(block.weight for block in (*log._head, *log._tail)) + sum(map(len, log._partial.values()))


short_lines = st.lists(st.text("ab \té€", max_size=20).map(str.strip), max_size=400)


@given(lines=short_lines, cut=st.integers(1, 300), every=st.integers(1, 50), cap=st.sampled_from([1, SMALL, 20_000]))
def test_beginning_and_end_are_kept_within_the_cap(lines: list[str], cut: int, every: int, cap: int) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    log, writes = capture(cap), list[Write]()
    bound = max(cap, 2048)
    for number, start in enumerate(range(0, len(data), cut)):
        log.feed("out", data[start : start + cut])
        assert held(log) <= bound + PIECE
        if number % every == 0:
            writes += log.drain()
            assert weight(replayed(writes)) <= bound
    log.end()
    writes += log.drain()
    assert held(log) == 0

    kept = texts(replayed(writes))
    assert weight(replayed(writes)) <= bound
    missing = len(lines) - len(kept)
    heads = next((n for n, pair in enumerate(zip(kept, lines, strict=False)) if pair[0] != pair[1]), len(kept))
    assert any(kept == lines[:head] + lines[head + missing :] for head in range(heads + 1))
    if missing:
        assert kept[-1] == lines[-1]
        gone = len(data) - sum(len(text.encode()) + 1 for text in kept)
        assert f"… {gone} bytes of this output were left out in all" in said(replayed(writes))[0]
    else:
        assert said(replayed(writes)) == []


@given(
    feeds=st.lists(st.tuples(st.sampled_from(["out", "err"]), st.binary(max_size=3000), st.booleans()), max_size=30),
    cap=st.sampled_from([0, SMALL]),
)
def test_any_bytes_are_taken(feeds: list[tuple[str, bytes, bool]], cap: int) -> None:
    log, writes = capture(cap), list[Write]()
    for stream, data, drain in feeds:
        log.feed(stream, data)
        assert held(log) <= SMALL + 2 * PIECE
        if drain:
            writes += log.drain()
    log.end()
    writes += log.drain()
    lines = replayed(writes)
    assert {line.stream for line in lines} <= {"out", "err", "ks"}
    for line in lines:
        line.text.encode()
    assert len(log.tail()) <= LAST


def test_a_flood_of_nearly_nothing_is_a_flood() -> None:
    log = capture(100_000)
    for _ in range(50):
        log.feed("out", b"\n" * 65_536)
    assert held(log) <= 100_000
    assert sum(len(chunk.lines) for chunk, _ in log.drain()) <= 100_000 / OVERHEAD + 1


def test_what_is_dropped_unwritten_is_said_in_its_place() -> None:
    log = capture()
    for number in range(1000):
        log.feed("out", b"%03d\n" % number)
    lines = [line for chunk, _ in log.drain() for line in chunk.lines]
    place = next(n for n, line in enumerate(lines) if line.stream == "ks")
    gone = int(lines[place + 1].text) - int(lines[place - 1].text) - 1
    assert lines[place].text == f"… {4 * gone} bytes left out …"
    assert lines[-1].text == "999"


def test_what_is_left_out_in_all_is_said_between_beginning_and_end() -> None:
    log, writes = capture(), list[Write]()
    for number in range(1000):
        log.feed("out", b"%03d\n" % number)
        writes += log.drain()
    log.end()
    writes += log.drain()
    lines = replayed(writes)
    (place,) = (n for n, line in enumerate(lines) if line.stream == "ks")
    gone = int(lines[place + 1].text) - int(lines[place - 1].text) - 1
    assert lines[place].text.startswith(f"… {4 * gone} bytes of this output were left out in all")
    assert (lines[0].text, lines[-1].text) == ("000", "999")


def test_the_streams_are_kept_apart() -> None:
    log = capture()
    log.feed("out", b"one ")
    log.feed("err", b"uh ")
    log.feed("out", b"two\nthree")
    log.feed("err", b"oh\r\n")
    log.end()
    assert [(line.stream, line.text) for line in replayed(list(log.drain()))] == [
        ("out", "one two"),
        ("err", "uh oh"),
        ("out", "three"),
    ]


def test_a_line_without_end_does_not_wait_for_its_end() -> None:
    log = capture(10_000_000)
    for _ in range(100):
        log.feed("out", b"x" * 10_000)
        assert len(log._partial["out"]) <= PIECE
    log.end()
    pieces = texts(replayed(list(log.drain())))
    assert "".join(pieces) == "x" * 1_000_000
    assert {len(piece) for piece in pieces[:-1]} == {PIECE}


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"a\0b\n", "a\0b"), (b"\xff\xfe\n", "\ufffd\ufffd"), ("naïve\n".encode(), "naïve"), (b"\n", ""), (b"\r\n", "")],
)
def test_what_is_no_text_becomes_one(data: bytes, text: str) -> None:
    log = capture()
    log.feed("out", data)
    assert texts(replayed(list(log.drain()))) == [text]


def test_time_is_when_it_came() -> None:
    log = capture()
    log.feed("out", b"one\ntwo\n")
    log.feed("out", b"three\n")
    assert [line.at for line in replayed(list(log.drain()))] == [0.5, 0.5, 1.5]


def test_last_lines_for_the_death_certificate() -> None:
    log = capture(2048)
    log.feed("out", b"".join(b"%d\n" % number for number in range(10_000)))
    assert log.tail() == tuple(str(number) for number in range(10_000 - LAST, 10_000))
    told = [log.last_error_line]
    log.feed("err", b"first\nthe error\n \n\n")
    told.append(log.last_error_line)
    assert told == [None, "the error"]
    log.feed("err", b"cut shor")
    log.end()
    assert log.last_error_line == "cut shor"
    log.feed("err", b"z" * 100_000 + b"\n")
    assert log.last_error_line == "z" * 500
    assert max(map(len, log.tail())) == 500


def test_nothing_printed_nothing_written() -> None:
    log = capture()
    log.feed("out", b"")
    log.end()
    assert list(log.drain()) == []
    assert log.tail() == ()
