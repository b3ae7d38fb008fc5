"""The exit codes of the runner (a part of the contract with Kubernetes' ``podFailurePolicy``)."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a KubeScribe process ends.

    The numbers 64, 65, 75, 77 and 78 are those of ``sysexits.h``; Kubernetes' ``podFailurePolicy`` fails the Job
    at once on 64, 65, 77 and 78.
    """

    DONE = 0
    """The outcome is decided well: the ledger row is committed, or there was no report and the payload ended 0."""

    PAYLOAD = 1
    """The payload failed and said nothing more exact, or its own code would have been mistaken for one of ours."""

    USAGE = 64
    """The command line, the configuration or a parameter is wrong: trying again unchanged is useless."""

    PRECONDITION = 65
    """The data is not as declared: a failed check, or a frame that does not fit the report."""

    TEMPORARY = 75
    """A database is away: trying again later may work."""

    FENCED = 77
    """A newer attempt holds the fence, or the run was cancelled: this attempt has published nothing and never will."""

    REFUSED = 78
    """The run is closed: it got a verdict before this attempt could start."""


RESERVED = frozenset(code.value for code in ExitCode if code not in (ExitCode.DONE, ExitCode.PAYLOAD))
"""Codes that only our own protocol may use; a payload that ends with one of them is reported as exit code 1."""
