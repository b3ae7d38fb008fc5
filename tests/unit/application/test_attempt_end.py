"""Every way in which a payload may end, and what becomes of it."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from kubescribe.application.attempt_end import CAUSE_OF_EXIT, End, Failure, Stop, failure, outcome
from kubescribe.application.ports.payload import Ended, Raised
from kubescribe.domain.exit_code import RESERVED, ExitCode
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run_status import RunStatus


def an_end(code: int, *, oom: bool = False, limit: int | None = None, **changes: Any) -> End:
    ended = Ended(exit_code=code, memory_peak=1000, memory_limit=limit, cpu_seconds=0.5, oom_killed=oom)
    defaults: dict[str, Any] = {"run_deadline": 90.0, "actor": "attempt:x", "duration": 2.0}
    return End(ended=ended, **(defaults | changes))


def raised(code: int, *, retry: bool = True) -> Raised:
    return Raised(error="ValueError: no such day", exit_code=code, retry=retry)


ENDS: list[tuple[str, End, tuple[str, int, bool] | None, str]] = [
    # name, end, (cause, exit code of the supervisor, another attempt may help), a part of the message
    ("a command that ends well", an_end(0, declares=False), None, ""),
    ("a pipeline that returned", an_end(0, returned=True), None, ""),
    ("a pipeline that left halfway", an_end(0), ("error", 1, True), "before the pipeline had come to its end"),
    ("its own code", an_end(3), ("exit_code", 3, True), "it ended with exit code 3"),
    ("its own code, with a hint", an_end(3, last_error_line="oh no"), ("exit_code", 3, True), "output: oh no"),
    ("a code that is ours", an_end(75), ("exit_code", 1, True), "it ended with exit code 75"),
    ("a code that is ours, and returned", an_end(64, returned=True), ("exit_code", 1, True), "exit code 64"),
    ("a signal", an_end(-15), ("signal", 143, True), "it was ended by SIGTERM"),
    ("a signal without a name", an_end(-63), ("signal", 191, True), "it was ended by signal 63"),
    ("a crash", an_end(-11, last_error_line="Fatal"), ("signal", 139, True), "SIGSEGV; the last line"),
    ("out of memory", an_end(-9, oom=True, limit=512), ("oom_killed", 137, True), "memory limit of 512 bytes"),
    ("out of memory, limit unknown", an_end(-9, oom=True), ("oom_killed", 137, True), "its memory limit"),
    ("killed by somebody", an_end(-9), ("signal", 137, True), "SIGKILL"),
    ("an error", an_end(1, raised=raised(1)), ("error", 1, True), "ValueError: no such day"),
    ("an error, and given up", an_end(1, raised=raised(1, retry=False)), ("error", 1, False), "no such day"),
    ("a bad parameter", an_end(64, raised=raised(64)), ("config_error", 64, True), "no such day"),
    ("data not as declared", an_end(65, raised=raised(65)), ("precondition", 65, True), "no such day"),
    ("a database away", an_end(75, raised=raised(75)), ("unavailable", 75, True), "no such day"),
    ("fenced", an_end(77, raised=raised(77)), ("fenced", 77, True), "no such day"),
    ("an error told, then a signal", an_end(-9, raised=raised(1)), ("error", 1, True), "no such day"),
    ("the deadline", an_end(-15, stop=Stop.DEADLINE), ("run_deadline", 1, False), "run deadline of 90 s"),
    ("the deadline, though it ended well", an_end(0, stop=Stop.DEADLINE), ("run_deadline", 1, False), "90 s"),
    ("asked to end", an_end(-15, stop=Stop.TERMINATED, stop_signal=2), ("signal", 130, False), "by SIGINT"),
    ("asked to end, no signal known", an_end(0, stop=Stop.TERMINATED), ("signal", 143, False), "by SIGTERM"),
    ("cancelled", an_end(-15, stop=Stop.CANCELLED), ("fenced", 77, False), "the run was cancelled"),
    ("given up", an_end(-9, stop=Stop.GIVEN_UP), ("fenced", 77, False), "was given up"),
    ("stopped comes before what it said", an_end(1, stop=Stop.GIVEN_UP, raised=raised(1)), ("fenced", 77, False), ""),
]


@pytest.mark.parametrize(("end", "means", "says"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_an_end_means(end: End, means: tuple[str, int, bool] | None, says: str) -> None:
    found = failure(end)
    if means is None:
        assert found is None
        return
    assert found is not None
    assert (found.cause, found.exit_code, found.retry) == means
    assert says in found.message


def test_a_payload_cannot_speak_our_exit_codes() -> None:
    for code in RESERVED:
        found = failure(an_end(code))
        assert found is not None and found.exit_code == ExitCode.PAYLOAD


def test_every_code_of_ours_that_fails_has_a_cause() -> None:
    assert set(CAUSE_OF_EXIT) == set(RESERVED)


@pytest.mark.parametrize("stop", Stop)
def test_no_stop_is_retried(stop: Stop) -> None:
    found = failure(an_end(-signal.SIGTERM, stop=stop))
    assert isinstance(found, Failure) and not found.retry


def test_the_death_certificate_of_a_failure() -> None:
    end = an_end(-9, oom=True, limit=512, log_tail=("one", "two"))
    done = outcome(end, RunStatus.FAILED, 137, cause=FailureCause.OOM_KILLED, message="memory")
    certificate = done.certificate
    assert (done.status, done.exit_code, done.duration, done.published) == ("failed", 137, 2.0, False)
    assert (certificate.exit_code, certificate.signal) == (None, "SIGKILL")
    assert (certificate.memory_peak, certificate.memory_limit, certificate.cpu_seconds) == (1000, 512, 0.5)
    assert (certificate.log_tail, certificate.recorded_by) == (("one", "two"), "attempt:x")


def test_the_death_certificate_keeps_the_payloads_own_code() -> None:
    done = outcome(an_end(75), RunStatus.FAILED, 1, cause=FailureCause.EXIT_CODE, message="x")
    assert (done.exit_code, done.certificate.exit_code, done.certificate.signal) == (1, 75, None)


def test_a_good_end_carries_no_log() -> None:
    done = outcome(an_end(0, log_tail=("one",)), RunStatus.SUCCEEDED, 0, published=True)
    assert (done.certificate.log_tail, done.certificate.cause, done.published) == ((), None, True)
