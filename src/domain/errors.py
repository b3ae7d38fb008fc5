"""Every error that KubeScribe raises on purpose.

One base; each class carries ids as attributes and builds its own message, which says what happened, why, and
what to do next. A message never carries a secret. ``exit_code`` is the process exit code of DESIGN section 4.
"""

from __future__ import annotations

from .exit_code import ExitCode


class KubescribeError(Exception):
    """The base of all errors that a user of KubeScribe may see."""

    exit_code: ExitCode = ExitCode.PAYLOAD


class ConfigurationError(KubescribeError):
    """A setting, a declaration or a command line is wrong; nothing was started."""

    exit_code = ExitCode.USAGE


class TemporaryError(KubescribeError):
    """Something that should come back is away; trying again later may work."""

    exit_code = ExitCode.TEMPORARY


class EmbeddedUnavailable(ConfigurationError):
    """The embedded PostgreSQL cannot be used in this folder, by this user, or on this machine."""

    def __init__(self, home: object, why: str, remedy: str) -> None:
        self.home, self.why, self.remedy = str(home), why, remedy
        super().__init__(f"no embedded PostgreSQL in {home}: {why}. To go on: {remedy}.")


class EmbeddedNotAnswering(TemporaryError):
    """The embedded PostgreSQL should work in this folder, but did not start or does not answer."""

    def __init__(self, home: object, why: str, remedy: str) -> None:
        self.home, self.why, self.remedy = str(home), why, remedy
        super().__init__(f"the embedded PostgreSQL in {home} does not answer: {why}. To go on: {remedy}.")
