"""What is wrong with settings, the command line or the machine they describe."""

from __future__ import annotations

from .base import ConfigurationError, TemporaryError


class BadDatabaseUrl(ConfigurationError):
    """A database URL cannot be used as it is. ``why`` never quotes the URL: it may hold a password."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be used: {why}")
        self.name = name
        self.why = why


class BadDuration(ConfigurationError):
    """A length of time cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a duration; write it like 90, 90s, 10m, 1h30m or 2d")
        self.text = text


class BadSetting(ConfigurationError):
    """A setting from the environment or ``.env`` cannot be used; ``name`` is the variable's."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be used: {why}")
        self.name = name
        self.why = why


class NotConfigured(ConfigurationError):
    """Something needs a database that no setting names."""

    def __init__(self, what: str, variable: str) -> None:
        self.what, self.variable = what, variable
        super().__init__(f"{what} needs {variable}; set it in the environment or in .env")


class CommandNotFound(ConfigurationError):
    """A command cannot be started."""

    def __init__(self, command: str, why: str, hint: str = "") -> None:
        self.command, self.why, self.hint = command, why, hint
        super().__init__(f"{command!r} cannot be started: {why}" + (f"; {hint}" if hint else ""))


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
