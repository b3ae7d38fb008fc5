"""What is wrong with the chain of events or its anchor."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import ConfigurationError, KubescribeError, TemporaryError


class AnchorNotSent(TemporaryError):
    """The head of the chain of events could not be sent outside; it is tried again."""

    def __init__(self, target: str, why: str) -> None:
        self.target, self.why = target, why
        super().__init__(f"the audit anchor could not be sent to {target}: {why}; it is tried again")


class BadAnchor(ConfigurationError):
    """A line is no anchor."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line} is no anchor; give lines as `kubescribe audit anchor` prints them")


class ChainBroken(KubescribeError):
    """The chain of events is not what was sealed."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, tenant: str, findings: int) -> None:
        self.tenant, self.findings = tenant, findings
        super().__init__(
            f"the events of tenant {tenant} are not those that were sealed ({findings} "
            f"finding{'s' if findings != 1 else ''}): somebody has changed the past. Keep the database as it is, and "
            "compare it with a backup"
        )
