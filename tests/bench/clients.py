"""Clients that keep their connection, and cost the machine as little as they can: the server is on the same cores."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from statistics import median, quantiles
from types import TracebackType
from typing import NamedTuple

_WARM = 30
"""Requests before anything is measured: plans are made, pages are in memory."""


class Asked(NamedTuple):
    """A request as bytes, and the status that its answer has to have."""

    raw: bytes
    status: int = 200


class Speed(NamedTuple):
    """Of one kind of request: seconds with one client, and answers a second with several."""

    p50: float
    p95: float
    rate: float
    size: float
    """Bytes of a body, on average."""


class Client:
    """One connection: ``with Client(port) as client: client.ask(request)``."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> Client:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, asked: Asked) -> bytes:
        """The answer's body, whole; anything but the status that was expected ends the benchmark."""
        self._socket.sendall(asked.raw)
        data = self._socket.recv(262_144)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        assert b"content-length: " in head, head
        length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        pieces, missing = [data[end + 4 :]], length - (len(data) - end - 4)
        while missing > 0:
            pieces.append(self._more())
            missing -= len(pieces[-1])
        body = b"".join(pieces)
        assert int(head[9:12]) == asked.status, (head, body[:500])
        return body

    def _more(self) -> bytes:
        data = self._socket.recv(262_144)
        assert data, "the server closed a connection that was to be kept"
        return data


def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def one_by_one(port: int, questions: Iterator[Asked], seconds: float) -> tuple[list[float], int]:
    """How long each answer took one client in so many seconds, and the bytes of all bodies."""
    took, size = list[float](), 0
    with Client(port) as client:
        for asked in itertools.islice(questions, _WARM):
            client.ask(asked)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = next(questions)
            began = time.perf_counter()
            size += len(client.ask(asked))
            took.append(time.perf_counter() - began)
    return took, size


def at_once(port: int, questions: Iterator[Asked], clients: int, seconds: float) -> float:
    """Answers a second to several clients, each of which asks as soon as it is answered."""
    counts, turn, failed = [0] * clients, threading.Lock(), list[BaseException]()
    ready, over = threading.Barrier(clients + 1), threading.Event()

    def ask(number: int) -> None:
        try:
            with Client(port) as client:
                client.ask(next_question())
                ready.wait()
                while not over.is_set():
                    client.ask(next_question())
                    counts[number] += 1
        except BaseException as error:
            failed.append(error)
            ready.abort()

    def next_question() -> Asked:
        with turn:  # a generator is no thing for two threads at once
            return next(questions)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):  # one of them has failed
        ready.wait()
    began = time.monotonic()
    if not failed:
        over.wait(seconds)
    over.set()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sum(counts) / (time.monotonic() - began)  # with the last answers, and the time that they took


class Timing:
    """What several rounds of one question came to."""

    def __init__(self) -> None:
        self._took = list[float]()
        self._bytes = 0
        self._rates = list[float]()
        self.last = ""
        """The last round, for who watches."""

    def round(self, port: int, questions: Iterator[Asked], *, clients: int, seconds: float) -> None:
        """One client for a while, then several."""
        took, size = one_by_one(port, questions, seconds)
        self._took += took
        self._bytes += size
        self._rates.append(at_once(port, questions, clients, seconds))
        self.last = f"{median(took) * 1000:.1f} ms, {self._rates[-1]:.0f} a second"

    def speed(self) -> Speed:
        """Percentiles over all answers to one client; of the rates the middle one."""
        cuts = quantiles(self._took, n=20, method="inclusive")
        return Speed(cuts[9], cuts[18], median(self._rates), self._bytes / len(self._took))


def bearer(token: str) -> Mapping[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}
