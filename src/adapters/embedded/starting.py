"""Starting a keeper and hearing from it how it went."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from ...domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable
from .folder import Folder
from .postmaster import environment

_PACKAGE = __name__.partition(".")[0]


def start_keeper(folder: Folder, deadline: float) -> None:
    """Start a detached keeper and wait for its report; to be called with ``start.lock`` held.

    Returns when the server is ready, and also when the keeper ended without a word (it was killed): the
    caller looks again. Raises what the keeper reports, or EmbeddedNotAnswering at the deadline.
    """
    root = Path(sys.modules[_PACKAGE].__path__[0]).parent
    reading, writing = os.pipe()
    log = folder.open_log()
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.keeper", str(folder.home), str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**environment(), "PYTHONPATH": str(root)},
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        report = _read(reading, deadline)
        # The process that we started ends at once; the keeper is its child, and so not ours to wait for.
        process.wait()
    finally:
        os.close(log)
        os.close(reading)
    if report is None:
        raise EmbeddedNotAnswering(folder.home, "it is still starting", f"see {folder.log}, and try again")
    if not report:
        time.sleep(0.005)  # its locks are given back a moment after its end of the pipe
        return
    said = json.loads(report)
    if said["result"] == "unavailable":
        raise EmbeddedUnavailable(folder.home, said["why"], said["remedy"])
    if said["result"] == "failed":
        raise EmbeddedNotAnswering(folder.home, said["why"], said["remedy"])


def _read(reading: int, deadline: float) -> bytes | None:
    """Everything until the other end is closed; nothing at the deadline."""
    received = b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        chunk = os.read(reading, 65536)
        if not chunk:
            return received
        received += chunk
