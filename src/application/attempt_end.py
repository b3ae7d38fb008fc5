"""What the end of a payload means: the rules that make an outcome of what was seen."""

from __future__ import annotations

import signal
from enum import StrEnum

import msgspec

from ..domain.attempt import DeathCertificate
from ..domain.errors import KubescribeError
from ..domain.exit_code import ExitCode
from ..domain.failure import FailureCause
from ..domain.outcome import NEVER_RETRIED, Outcome, payload_exit_code
from ..domain.run_status import RunStatus
from .ports.payload import Ended, Raised


class Stop(StrEnum):
    """Why the supervisor ended the payload itself."""

    DEADLINE = "deadline"
    """The run's deadline passed."""

    START_DEADLINE = "start_deadline"
    """The worker did not declare its pipeline in time."""

    TERMINATED = "terminated"
    """The supervisor was asked to end (SIGTERM, SIGINT)."""

    GIVEN_UP = "given_up"
    """The attempt is not the run's newest any more, or its lease was ended."""

    CANCELLED = "cancelled"
    """A cancel was asked for."""


CAUSE_OF_EXIT: dict[int, FailureCause] = {
    ExitCode.USAGE: FailureCause.CONFIG_ERROR,
    ExitCode.PRECONDITION: FailureCause.PRECONDITION,
    ExitCode.TEMPORARY: FailureCause.UNAVAILABLE,
    ExitCode.FENCED: FailureCause.FENCED,
    ExitCode.REFUSED: FailureCause.FENCED,
}
"""What our own exit codes say of the cause."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """A payload's end, with what the supervisor knows of it. Durations are seconds."""

    ended: Ended
    raised: Raised | None = None
    stop: Stop | None = None
    stop_signal: int | None = None
    declares: bool = True
    returned: bool = False
    run_deadline: float = 0.0
    declare_within: float = 0.0
    log_tail: tuple[str, ...] = ()
    last_error_line: str | None = None
    actor: str = ""
    duration: float = 0.0


class Failure(msgspec.Struct, frozen=True):
    """How a payload failed."""

    cause: FailureCause
    message: str
    exit_code: int
    """The supervisor's."""
    retry: bool
    """Whether another attempt may help."""


def failure(end: End) -> Failure | None:
    """What the end of a payload means; None: it ended well."""
    if end.stop is not None:
        return _stopped(end)
    if end.raised is not None:
        raised = end.raised
        cause = CAUSE_OF_EXIT.get(raised.exit_code, FailureCause.ERROR)
        return Failure(cause, raised.error, raised.exit_code, raised.retry)
    code = end.ended.exit_code
    hint = f"; the last line of its error output: {end.last_error_line}" if end.last_error_line else ""
    if code < 0 and end.ended.oom_killed:
        limit = f" of {end.ended.memory_limit} bytes" if end.ended.memory_limit else ""
        return Failure(
            FailureCause.OOM_KILLED, f"it was killed for going over its memory limit{limit}", 128 - code, True
        )
    if code < 0:
        return Failure(FailureCause.SIGNAL, f"it was ended by {_signal_name(-code)}{hint}", 128 - code, True)
    if code > 0:
        message = f"it ended with exit code {code}{hint}"
        return Failure(FailureCause.EXIT_CODE, message, payload_exit_code(code), True)
    if end.declares and not end.returned:
        message = "its process ended with exit code 0 before the pipeline had come to its end; nothing was published"
        return Failure(FailureCause.ERROR, message, ExitCode.PAYLOAD.value, True)
    return None


def failed(end: End, why: Failure) -> tuple[Outcome, bool]:
    """The outcome of a failure, and whether another attempt may help."""
    done = outcome(end, RunStatus.FAILED, why.exit_code, cause=why.cause, message=why.message)
    return done, why.retry and why.cause not in NEVER_RETRIED


def refused(end: End, error: KubescribeError) -> tuple[Outcome, bool]:
    """The same of an attempt that one of our own errors ended."""
    cause = CAUSE_OF_EXIT.get(error.exit_code, FailureCause.ERROR)
    return failed(end, Failure(cause, str(error), error.exit_code, True))


def outcome(
    end: End,
    status: RunStatus,
    exit_code: int,
    *,
    cause: FailureCause | None = None,
    message: str | None = None,
    published: bool = False,
) -> Outcome:
    """An outcome with the death certificate that belongs to this end."""
    ended = end.ended
    certificate = DeathCertificate(
        cause=cause,
        exit_code=ended.exit_code if ended.exit_code >= 0 else None,
        signal=_signal_name(-ended.exit_code) if ended.exit_code < 0 else None,
        memory_peak=ended.memory_peak,
        memory_limit=ended.memory_limit,
        cpu_seconds=ended.cpu_seconds,
        message=message,
        log_tail=end.log_tail if cause is not None else (),
        recorded_by=end.actor,
    )
    return Outcome(
        status=status, exit_code=exit_code, certificate=certificate, published=published, duration=end.duration
    )


def _stopped(end: End) -> Failure:
    match end.stop:
        case Stop.DEADLINE:
            message = f"it ran longer than its run deadline of {end.run_deadline:g} s and was ended"
            return Failure(FailureCause.RUN_DEADLINE, message, ExitCode.PAYLOAD.value, False)
        case Stop.START_DEADLINE:
            message = f"its worker did not declare the pipeline within {end.declare_within:g} s and was ended"
            return Failure(FailureCause.START_DEADLINE, message, ExitCode.PAYLOAD.value, False)
        case Stop.TERMINATED:
            number = end.stop_signal or signal.SIGTERM.value
            message = f"its supervisor was asked to end by {_signal_name(number)}, and ended it"
            return Failure(FailureCause.SIGNAL, message, 128 + number, False)
        case Stop.CANCELLED:
            return Failure(FailureCause.FENCED, "the run was cancelled", ExitCode.FENCED.value, False)
        case _:
            message = "the attempt was given up: another one took the run, or its lease expired"
            return Failure(FailureCause.FENCED, message, ExitCode.FENCED.value, False)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
