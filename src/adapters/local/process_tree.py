"""Every process that belongs to an attempt, found by its session or by the attempt's id in its environment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from uuid import UUID

from ...application.ports.payload import Usage
from .machine import ProcessStat, environment_has, processes

ATTEMPT_VARIABLE = "KUBESCRIBE_ATTEMPT_ID"


def usage(session: int) -> Usage:
    """Memory and CPU of all processes of a session."""
    members = [stat for stat in processes() if stat.session == session]
    if not members:
        return Usage()
    return Usage(memory=sum(one.rss for one in members), cpu_seconds=sum(one.cpu_seconds for one in members))


def members(attempt_id: UUID, session: int | None = None) -> list[ProcessStat]:
    """The attempt's processes, this one apart: also those that have left the session, as a daemon does."""
    value = str(attempt_id)
    return [
        stat
        for stat in processes()
        if stat.pid != os.getpid() and (stat.session == session or environment_has(stat.pid, ATTEMPT_VARIABLE, value))
    ]


def end(attempt_id: UUID, session: int | None = None, *, patience: float = 5.0) -> bool:
    """Kill the attempt's processes until none is left; False where some could not be ended in ``patience`` seconds."""
    until = time.monotonic() + patience
    while left := members(attempt_id, session):
        for stat in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stat.pid, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
