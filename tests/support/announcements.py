"""Messages with sensible defaults."""

from __future__ import annotations

from typing import Any

import msgspec

from kubescribe.domain.announcement import Announcement

PLAIN = Announcement(
    kind="run.failed",
    title="sales failed: exit_code",
    summary="A run of pipeline sales failed.",
    facts=(("pipeline", "sales"), ("cause", "exit_code")),
    text="it broke",
    lines=("one", "two"),
    next_steps=(("kubescribe show 7", "the whole record"),),
    link="https://ks.example.org/runs/7",
)


def an_announcement(**changes: Any) -> Announcement:
    return msgspec.structs.replace(PLAIN, **changes)
