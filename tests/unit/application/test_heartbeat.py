"""The heartbeat goes on, whatever happens to a beat, and passes on only what asks for an end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from tests.support.waiting import wait_for

from kubescribe.application.heartbeat import Heartbeat
from kubescribe.application.ports.attempt_log import Beat, Pulse
from kubescribe.domain.errors import AttemptNotFound, DatabaseUnavailable

BEAT = Beat(attempt_id=UUID(int=1), lease=60.0)
FINE = Pulse(current=True)


class Log:
    """Answers beats with what it was given, and the last answer for ever."""

    def __init__(self, *answers: Pulse | Exception) -> None:
        self._answers = list(answers)
        self.beats = 0
        self.thread: threading.Thread | None = None
        self.closed = False

    async def beat(self, beat: Beat) -> Pulse:
        assert beat == BEAT
        self.thread = threading.current_thread()
        self.beats += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        assert threading.current_thread() is self.thread or self.thread is None
        self.closed = True


class Beating:
    def __init__(self, log: Log, beat: Callable[[], Beat | None] = lambda: BEAT, interval: float = 0.001) -> None:
        self.log, self.pulses = log, list[Pulse]()
        port: Any = log
        self.heartbeat = Heartbeat(port, log.close, interval=interval, beat=beat, on_pulse=self.pulses.append)

    def until(self, beats: int) -> None:
        self.heartbeat.start()
        wait_for(lambda: self.log.beats >= beats, f"{beats} beats")
        self.heartbeat.stop()
        assert self.log.closed


def test_a_beat_that_is_answered_well_is_told_to_nobody() -> None:
    beating = Beating(Log(FINE))
    beating.until(3)
    assert beating.pulses == []
    assert beating.log.thread is not threading.main_thread()
    beats = beating.log.beats
    assert not any(thread.name == "kubescribe-heartbeat" for thread in threading.enumerate())
    assert beating.log.beats == beats


@pytest.mark.parametrize("pulse", [Pulse(current=False), Pulse(current=True, cancel_asked=True)])
def test_what_asks_for_an_end_is_passed_on(pulse: Pulse) -> None:
    beating = Beating(Log(FINE, pulse))
    beating.until(2)
    assert beating.pulses[0] == pulse


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("RunLog", "gone"), AttemptNotFound(1), OSError("odd"), RuntimeError("a bug")]
)
def test_a_beat_that_fails_is_followed_by_the_next(error: Exception) -> None:
    beating = Beating(Log(error, error, FINE))
    beating.until(4)
    assert beating.pulses == []


def test_looking_at_the_payload_may_fail_too() -> None:
    looks = iter([OSError("/proc is odd"), None])

    def look() -> Beat | None:
        error = next(looks, None)
        if error is not None:
            raise error
        return BEAT

    Beating(Log(FINE), look).until(2)


def test_nothing_to_say_is_not_said() -> None:
    asked = threading.Event()

    def nothing() -> None:
        asked.set()

    beating = Beating(Log(FINE), nothing)
    beating.heartbeat.start()
    assert asked.wait(10)
    beating.heartbeat.stop()
    assert beating.log.beats == 0
    assert beating.log.closed


def test_the_first_beat_comes_after_an_interval_and_stopping_is_at_once() -> None:
    beating = Beating(Log(FINE), interval=3600)
    beating.heartbeat.start()
    beating.heartbeat.stop()
    assert beating.log.beats == 0
    assert beating.log.closed


def test_stopping_one_that_never_started() -> None:
    Beating(Log(FINE)).heartbeat.stop()
