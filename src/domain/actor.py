"""Who did it."""

from __future__ import annotations

RECONCILER = "reconciler"
"""The actor of everything that ``reconcile_runs`` decides."""


def supervisor(attempt_id: object) -> str:
    """The actor of what an attempt's own supervisor records."""
    return f"attempt:{attempt_id}"


def user(name: str) -> str:
    """The actor for somebody at a command line."""
    return f"user:{name}"
