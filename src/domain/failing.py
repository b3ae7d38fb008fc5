"""A pipeline that fails: since when, and how often."""

from __future__ import annotations

from datetime import datetime

import msgspec

RECOVERED = "run.recovered"
"""The kind of the notice that a pipeline works again; there is one for each time that it began to fail."""


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """From the first failed or lost run to the next that succeeds."""

    since: datetime
    """When the first of them got its verdict, by the database's clock."""
    failures: int
    """How many there were."""


def failed_again(before: Failing | None, at: datetime) -> Failing:
    """One more run has failed or was lost."""
    return (
        Failing(since=at, failures=1) if before is None else Failing(since=before.since, failures=before.failures + 1)
    )
