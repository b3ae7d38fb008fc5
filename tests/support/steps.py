"""Doing something at a failpoint, inside the test's own process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubescribe.adapters.report import publication, retirement, staging

PUBLISH = (
    "publish.attached",
    "publish.fence_checked",
    "publish.changed",
    "publish.ledger_written",
    "publish.pointed",
    "publish.committed",
)
STAGE = ("stage.created", "stage.copied", "stage.indexed", "stage.recorded")


def at(monkeypatch: pytest.MonkeyPatch, step: str, action: Callable[[], object], time: int = 1) -> list[str]:
    """Do ``action`` when the step is reached for this time; the list holds the steps that were reached."""
    reached: list[str] = []

    def failpoint(name: str) -> None:
        reached.append(name)
        if name == step and reached.count(name) == time:
            action()

    for module in (publication, retirement, staging):
        monkeypatch.setattr(module, "failpoint", failpoint)
    return reached
