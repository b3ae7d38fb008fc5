"""The steps of a run at which it is broken, in the order in which they are reached."""

from __future__ import annotations

BEFORE_CLAIM = ("attempt.started", "worker.declared", "attempt.declared", "attempt.fenced")
"""RunLog does not know of the run yet."""

ASSIGNING = ("attempt.claimed", "attempt.assigned")

WORKING = (
    "worker.assigned",
    "worker.first_read",
    "worker.read",
    "stage.created",
    "stage.copied",
    "stage.indexed",
    "stage.recorded",
    "worker.staged",
    "worker.returned",
)
"""In the worker."""

COPYING = (
    "worker.assigned",
    "worker.first_read",
    "stage.created",
    "copy.block",
    "stage.copied",
    "stage.indexed",
    "stage.recorded",
    "worker.read",
    "worker.staged",
    "worker.returned",
)
"""The same where rows are handed over as they are; ``copy.block``: some are on their way."""

STAGING_A_FILE = tuple(step for step in WORKING if step not in ("worker.first_read", "worker.read"))
"""And where they come from a file."""

PUBLISHING = (
    "attempt.payload_ended",
    "attempt.checked",
    "publish.attached",
    "publish.fence_checked",
    "publish.changed",
    "publish.ledger_written",
    "publish.pointed",
)
"""Nothing is visible yet, and the worker is gone."""

PUBLISHED = (
    "publish.committed",
    "attempt.published",
    "attempt.recorded",
    "attempt.message_written",
    "retire.detached",
)

REPEATED = ("stage.created", "stage.copied", "stage.indexed", "stage.recorded", "worker.staged")
"""Reached once for each report, of which every run has three at least."""

WITH_WORKER = BEFORE_CLAIM + ASSIGNING + WORKING
CLAIMED = ASSIGNING + WORKING + PUBLISHING + PUBLISHED
STEPS = BEFORE_CLAIM + CLAIMED

COMMAND_STEPS = (
    "attempt.fenced",
    "attempt.claimed",
    "attempt.started",
    "attempt.payload_ended",
    "attempt.recorded",
    "attempt.message_written",
)
"""Of ``kubescribe exec``: it takes the run first, and then lets the command begin."""
