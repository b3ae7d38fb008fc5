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
from .binaries import wheel_root
from .folder import Folder
from .programs import environment

# Isolated from the environment and the working folder, so that no stray module gets into the keeper; what it needs
# comes after the standard library.
_KEEPER = f"{__name__.rpartition('.')[0]}.keeper"
_PROGRAM = f"import sys; sys.path += sys.argv[4:]; from {_KEEPER} import main; main(*sys.argv[1:4])"


def start_keeper(folder: Folder, start_lock: int, deadline: float) -> None:
    """Start a detached keeper and wait for its report.

    ``start_lock`` is the descriptor of ``start.lock``, held. The keeper gets it as well and keeps it until it has
    its own lock: if we are killed now, nobody starts a second one.

    Returns when the server is ready, and also when the keeper ended without a word (it was killed): the
    caller looks again. Raises what the keeper reports, or EmbeddedNotAnswering at the deadline.
    """
    package = Path(sys.modules[__name__.partition(".")[0]].__path__[0])
    roots = [str(root) for root in (package.parent, wheel_root()) if root is not None]
    report = None
    reading, writing = os.pipe()
    log = folder.open_log()
    try:
        process = subprocess.Popen(
            # Without site, which reads .pth files in the locale's encoding; the path is given anyway.
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(folder.home), str(writing), str(start_lock), *roots],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment(),
            pass_fds=(writing, start_lock),
            start_new_session=True,
        )
        os.close(writing)
        try:
            report = _read(reading, deadline)
        finally:
            # The process that we started ends at once; the keeper is its child, and so not ours to wait for.
            if report is None:
                process.kill()
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
