"""Output that never holds its writer up."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.waiting import wait_for

from kubescribe.entrypoints.cli.outlet import Outlet

KIB = 1024


class Pipe:
    """A pipe, and what was read from it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.read = b""
        self._thread: threading.Thread | None = None

    def drain(self, pause: Callable[[], object] = lambda: None) -> None:
        """Read until the writer's end is closed."""

        def read() -> None:
            while data := os.read(self.reader, 65_536):
                self.read += data
                pause()

        self._thread = threading.Thread(target=read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1
        if self._thread is not None:
            self._thread.join(10)


@pytest.fixture
def pipes() -> Iterator[tuple[Pipe, Pipe]]:
    one, other = Pipe(), Pipe()
    yield one, other
    for pipe in (one, other):
        pipe.close()
        os.close(pipe.reader)


def test_all_of_it_arrives_in_order(pipes: tuple[Pipe, Pipe]) -> None:
    pipe, _ = pipes
    outlet = Outlet(bound=64 * KIB)
    pipe.drain()
    sent = b""
    for number in range(400):
        wait_for(outlet.ready, "room", every=0.001)
        data = f"{number:06}\n".encode() * 700
        outlet.put(pipe.writer, data)
        sent += data
    assert outlet.flush() == 0
    pipe.close()
    assert pipe.read == sent


def test_a_slow_reader_gets_it_all_as_well(pipes: tuple[Pipe, Pipe]) -> None:
    pipe, _ = pipes
    outlet = Outlet(bound=64 * KIB, patience=0.5)
    pipe.drain(lambda: time.sleep(0.05))
    for _ in range(10):
        wait_for(outlet.ready, "room", every=0.001)
        outlet.put(pipe.writer, b"x" * 64 * KIB)
    assert outlet.flush() == 0
    pipe.close()
    assert len(pipe.read) == 640 * KIB


def test_nobody_waits_for_who_does_not_read(pipes: tuple[Pipe, Pipe]) -> None:
    pipe, _ = pipes
    outlet = Outlet(bound=64 * KIB, patience=0.2)
    began = time.monotonic()
    for _ in range(100):
        wait_for(outlet.ready, "the reader to be given up", every=0.001)
        outlet.put(pipe.writer, b"x" * 64 * KIB)
    assert outlet.flush() > 0
    assert time.monotonic() - began < 5
    # They read again: what was left out is said, with its size.
    pipe.drain()
    assert outlet.flush() == 0
    outlet.put(pipe.writer, b"the end\n")
    assert outlet.flush() == 0
    pipe.close()
    gap = re.search(rb"\n\xe2\x80\xa6 (\d+) bytes not shown: nobody reads.*\n", pipe.read)
    assert gap is not None
    assert pipe.read.count(b"x") + int(gap[1]) == 100 * 64 * KIB
    assert pipe.read.endswith(b"the end\n")


def test_one_that_stalls_does_not_hold_the_other_up(pipes: tuple[Pipe, Pipe]) -> None:
    stalled, read = pipes
    outlet = Outlet(patience=0.1)
    read.drain()
    outlet.put(stalled.writer, b"x" * 256 * KIB)
    outlet.put(read.writer, b"a sentence\n")
    wait_for(lambda: read.read == b"a sentence\n", "the sentence")


@pytest.mark.parametrize("kind", ["closed", "nobody there", "full disk"])
def test_what_cannot_be_written_is_left_out(kind: str, pipes: tuple[Pipe, Pipe]) -> None:
    broken, read = pipes
    outlet = Outlet()
    if kind == "closed":
        fd = os.dup(broken.writer)
        os.close(fd)
    elif kind == "nobody there":
        fd = broken.writer
        os.close(broken.reader)
        broken.reader = os.open(os.devnull, os.O_RDONLY)
    else:
        fd = os.open("/dev/full", os.O_WRONLY)
    read.drain()
    outlet.put(fd, b"lost")
    outlet.put(read.writer, b"shown")
    assert outlet.flush() == 0
    read.close()
    assert read.read == b"shown"
    if kind == "full disk":
        os.close(fd)


def test_a_descriptor_that_does_not_block_is_waited_for(pipes: tuple[Pipe, Pipe]) -> None:
    pipe, _ = pipes
    os.set_blocking(pipe.writer, False)
    outlet = Outlet()
    outlet.put(pipe.writer, b"x" * 256 * KIB)
    pipe.drain()
    assert outlet.flush() == 0
    pipe.close()
    assert len(pipe.read) == 256 * KIB
