"""A pipeline: a named job definition."""

from __future__ import annotations

import re
from math import inf
from typing import Any

import msgspec

from .catch_up import CatchUp
from .concurrency import Concurrency
from .dst_policy import Fold, Gap
from .errors import BadDeclaration
from .incident import IncidentTerms
from .pod_needs import PodNeeds
from .promise import Promises
from .schedule_fault import ScheduleFault

# A CronJob's name has at most 52 characters, of which DNS allows these.
_NAME = re.compile(r"[a-z]([a-z0-9_-]{0,50}[a-z0-9])?")
_MOST_IN_A_ROW = 1000
NAME_RULE = "use lower-case letters, digits, '-' and '_', at most 52 characters, the first a letter"


def may_be_a_name(text: str) -> bool:
    """Whether a pipeline, or a command on record, may be called so."""
    return _NAME.fullmatch(text) is not None


DEFAULT_RUN_DEADLINE = 86400.0
"""Seconds: what a pipeline or a command that says nothing else may take."""

DEFAULT_CATCH_UP_LIMIT = 10
MOST_CAUGHT_UP = 1000


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline declares. Durations are seconds."""

    name: str
    description: str = ""
    """The function's docstring."""
    schedule: str | None = None
    """A cron expression, or None: it runs only when somebody asks."""
    timezone: str = "UTC"
    fold: Fold = Fold.ONCE
    gap: Gap = Gap.RUN_AFTER
    catch_up: CatchUp = CatchUp.NONE
    catch_up_limit: int = DEFAULT_CATCH_UP_LIMIT
    """Slots; of ``catch_up="all"``."""
    lint_ok: tuple[ScheduleFault, ...] = ()
    """What ``kubescribe schedule lint`` need not say of it."""
    parameters: dict[str, Any] = {}
    """JSON Schema of the parameters: an object."""
    reports: tuple[str, ...] | None = None
    """The reports that it writes; ``()`` for none, None where it does not say."""
    run_deadline: float = DEFAULT_RUN_DEADLINE
    """From the first attempt's start; every run has one, or nobody would ever end one that hangs."""
    start_deadline: float = 300.0
    retries: int = 0
    """Further attempts after one that failed and did not say ``GiveUp``."""
    retry_delay: float = 0.0
    """From the end of an attempt to the start of the next."""
    concurrency: Concurrency = Concurrency.ALLOW
    """What becomes of a run while another one is at work."""
    promises: Promises = Promises()
    """What is promised of its slots, runs and reports."""
    incidents: IncidentTerms = IncidentTerms()
    """When failed runs in a row are an incident, and when it ends."""
    snapshot: str = "run"
    """``run``: all reads see one moment of the production database; ``read``: each sees its own."""
    pod: PodNeeds = PodNeeds()
    """What it needs where it runs in a cluster."""
    location: str = ""
    """``module:function`` and the file and line, for messages."""
    code_version: str | None = None
    """A digest of the source that declares it."""

    def __post_init__(self) -> None:
        if not may_be_a_name(self.name):
            raise BadDeclaration(
                f"{self.name!r} cannot name a pipeline: {NAME_RULE} ({self.location or 'no location'})"
            )
        for what, value in (("retries", self.retries), ("retry_delay", self.retry_delay)):
            if not 0 <= value < inf:
                problem = f"{what} is {value}, which is {'less than 0' if value < 0 else 'no number to wait for'}"
                raise BadDeclaration(f"pipeline {self.name}: {problem} ({self.location})")
        for what, count in (
            ("incident_after", self.incidents.incident_after),
            ("recover_after", self.incidents.recover_after),
        ):
            if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST_IN_A_ROW:
                raise BadDeclaration(
                    f"pipeline {self.name}: {what} is {count!r}, and has to be a whole number of runs, at least 1 "
                    f"and at most {_MOST_IN_A_ROW} ({self.location})"
                )
        for what, limit in (("run_deadline", self.run_deadline), ("start_deadline", self.start_deadline)):
            if not 0 < limit < inf:
                raise BadDeclaration(
                    f"pipeline {self.name}: {what} is {limit} s, which leaves no time ({self.location})"
                )
        if not 1 <= self.catch_up_limit <= MOST_CAUGHT_UP:
            raise BadDeclaration(
                f"pipeline {self.name}: catch_up_limit is {self.catch_up_limit}, not between 1 and {MOST_CAUGHT_UP} "
                f"({self.location})"
            )
        if self.catch_up is not CatchUp.NONE and self.schedule is None:
            raise BadDeclaration(
                f"pipeline {self.name}: catch_up is '{self.catch_up}', and without a schedule there is nothing to "
                f"catch up with; give it a schedule, or leave catch_up out ({self.location})"
            )
        if self.snapshot not in ("run", "read"):
            raise BadDeclaration(
                f"pipeline {self.name}: snapshot is {self.snapshot!r}, not 'run' or 'read' ({self.location})"
            )

    @property
    def may_publish(self) -> bool:
        """Whether the report database has anything to say about its runs."""
        return self.reports != ()
