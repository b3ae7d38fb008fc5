"""Starting a command: what the child does first, and what to say where there is nothing to start."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ...domain.errors import CommandNotFound


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """What the child does before it becomes the command: ask for SIGKILL at its parent's death (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


def not_started(command: str, error: OSError | ValueError) -> CommandNotFound:
    """The error, with what to do about it."""
    return CommandNotFound(command, getattr(error, "strerror", None) or str(error), _hint(command, error))


def _hint(command: str, error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT and Path(command).exists():
        return "the file is there, so it is the interpreter named in its first line that is not (mind CRLF line ends)"
    if number == errno.ENOENT and " " in command:
        return "give its words separately, without quotes around all of them"
    if number == errno.ENOENT:
        return "there is no such program in PATH; a file of this folder is written ./NAME"
    if number == errno.EACCES:
        return "make it executable: chmod +x"
    if number == errno.ENOEXEC:
        return "name its interpreter in its first line, such as #!/bin/sh"
    return ""
