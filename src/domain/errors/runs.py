"""What a run or an attempt cannot do."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import ConfigurationError, KubescribeError, TemporaryError


class IllegalTransition(KubescribeError):
    """A run was asked to go where its state does not lead."""

    def __init__(self, run_id: object, before: str | None, after: str) -> None:
        self.run_id, self.before, self.after = run_id, before, after
        super().__init__(f"run {run_id} is {before or 'not there yet'} and cannot become {after}")


class RunNotFound(ConfigurationError):
    """There is no such run."""

    def __init__(self, run_id: object) -> None:
        self.run_id = run_id
        super().__init__(f"there is no run {run_id}; `kubescribe runs` lists them")


class AmbiguousRun(ConfigurationError):
    """A shortened run id fits several runs."""

    def __init__(self, prefix: str, fits: tuple[str, ...]) -> None:
        self.prefix, self.fits = prefix, fits
        super().__init__(f"{prefix} fits several runs: {', '.join(fits)}; give more of the id")


class AttemptNotFound(TemporaryError):
    """RunLog does not know the attempt: its claim has not arrived there, or RunLog was restored from before it."""

    def __init__(self, attempt_id: object) -> None:
        self.attempt_id = attempt_id
        super().__init__(f"RunLog does not know attempt {attempt_id}; its claim has to be told first")


class RunClosed(KubescribeError):
    """The run has its verdict, or is being cancelled: no attempt may take it any more."""

    exit_code = ExitCode.REFUSED

    def __init__(self, run_id: object, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"run {run_id} is {status} and takes no further attempt; start a new run instead")


class PipelineBusy(KubescribeError):
    """Another run of the pipeline is at work, and the pipeline does not allow two."""

    def __init__(self, run_id: object, others: tuple[object, ...], *, skipped: bool) -> None:
        """``skipped``: this run is over; else it waits for its turn."""
        self.run_id, self.others, self.skipped = run_id, others, skipped
        self.exit_code = ExitCode.DONE if skipped else ExitCode.TEMPORARY
        at_work = " and ".join(f"run {other}" for other in others[:3])
        what = "is at work" if len(others) == 1 else "are at work"
        then = "so this one was skipped" if skipped else "so this one waits for its turn"
        super().__init__(f"{at_work} of the same pipeline {what}, {then}")


class RunMismatch(ConfigurationError):
    """The run exists already, and is another pipeline's or has other parameters."""

    def __init__(self, run_id: object, difference: str) -> None:
        self.run_id, self.difference = run_id, difference
        super().__init__(f"run {run_id} exists already and {difference}; leave out the id to start a new run")


class Fenced(KubescribeError):
    """A newer attempt of the run, or a verdict on it, took this attempt's right to publish."""

    exit_code = ExitCode.FENCED

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"this attempt of run {run_id} was given up ({why}); it has published nothing")


class Superseded(KubescribeError):
    """A newer slot of the report was published already: this run has nothing to add."""

    exit_code = ExitCode.DONE

    def __init__(self, report: str, slot: object, newer: object) -> None:
        self.report, self.slot, self.newer = report, slot, newer
        super().__init__(f"report {report} already shows slot {newer}, which is newer than this run's slot {slot}")


class LaunchRefused(KubescribeError):
    """No supervisor could be started for a run."""

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"no supervisor could be started for run {run_id}: {why}")


class LauncherBusy(TemporaryError):
    """A supervisor cannot be started just now; the run waits, and is launched when there is room.

    ``for_all``: until then no other run can be launched either. ``in_doubt``: it may as well be a refusal, which it is
    taken for when the run's start deadline has passed.
    """

    def __init__(self, run_id: object, why: str, *, for_all: bool = False, in_doubt: bool = False) -> None:
        self.run_id, self.why, self.for_all, self.in_doubt = run_id, why, for_all, in_doubt
        super().__init__(f"run {run_id} waits for its supervisor: {why}")
