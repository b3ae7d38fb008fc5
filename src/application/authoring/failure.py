"""The two words of failure."""

from __future__ import annotations


class Retry(Exception):
    """This attempt failed, and another one may help; ``after`` seconds at the earliest, else the declared delay."""

    def __init__(self, message: str = "", after: float | None = None) -> None:
        self.after = after
        super().__init__(message)


class GiveUp(Exception):
    """This attempt failed, and no other one can help: the run fails at once."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class Abandoned(BaseException):
    """The attempt is not wanted any more. Raised at the context's next call; no ``except Exception`` catches it."""
