"""Every process that belongs to an attempt, found by its session or by the attempt's id in its environment."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection
from uuid import UUID

from ...application.ports.payload import Usage
from .machine import ProcessStat, children, environment_has, processes

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


def end(
    attempt_id: UUID, session: int | None = None, *, patience: float = 5.0, mine: Collection[int] | None = None
) -> bool:
    """Kill the attempt's processes until none is left; False where some could not be ended in ``patience`` seconds.

    ``mine``: the caller adopts orphans (:func:`adopt_orphans`), and had these children before. Then every process of
    the payload that is still there has an ancestor among the other children, whatever it did to session and
    environment, and none can slip through between two looks.
    """
    until = time.monotonic() + patience
    while left := {stat.pid for stat in members(attempt_id, session)} | _adopted(mine):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def adopt_orphans(adopt: bool) -> None:
    """Become the parent of what the payload's processes leave behind (Linux), instead of the system's first process."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(36, int(adopt))  # PR_SET_CHILD_SUBREAPER


def _adopted(mine: Collection[int] | None) -> set[int]:
    """The children that are not ``mine``, and all below them; those that have ended are waited for."""
    if mine is None:
        return set()
    found: set[int] = set()
    for pid in children(os.getpid()) - set(mine):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                found.add(pid)
    below = list(found)
    for pid in below:
        below.extend(children(pid) - found)
        found.update(below)
    return found
