"""The bases of all errors."""

from __future__ import annotations

from ..exit_code import ExitCode


class KubescribeError(Exception):
    """The base of all errors that a user of KubeScribe may see."""

    exit_code: ExitCode = ExitCode.PAYLOAD


class ConfigurationError(KubescribeError):
    """A setting, a declaration or a command line is wrong; nothing was started."""

    exit_code = ExitCode.USAGE


class TemporaryError(KubescribeError):
    """Something that should come back is away; trying again later may work."""

    exit_code = ExitCode.TEMPORARY
