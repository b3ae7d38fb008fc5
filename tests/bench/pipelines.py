"""A pipeline that does nothing: what a run costs beside its work."""

from __future__ import annotations

from kubescribe import Context, pipeline


@pipeline(reports=())
def nothing(run: Context) -> None:
    """Do nothing."""
