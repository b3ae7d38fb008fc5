"""Named steps at which a test may break a run; each is a no-op unless it is armed.

Armed by ``KUBESCRIBE_FAILPOINT``, ``name=action`` pairs joined by ``;``:

- ``kill``: SIGKILL this process.
- ``stop``: SIGSTOP this process, until somebody continues it.
- ``raise``: raise :class:`FailpointError`.
- ``hold:PATH``: write this process's id to PATH and wait until PATH is gone. Whoever armed it may break anything
  meanwhile: this process, its parent, a database.

``name@2`` means the second time that the step is reached in this process.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "KUBESCRIBE_FAILPOINT"


class FailpointError(Exception):
    """Raised by a failpoint that was armed with ``raise``."""


def _parse(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(";") if pair)


_armed = _parse(os.environ.get(VARIABLE, ""))
_reached: dict[str, int] = {}


@contextmanager
def armed(text: str) -> Iterator[None]:
    """Arm failpoints of this process as the variable would, until the end of the block."""
    before = dict(_armed)
    _reached.clear()
    _armed.update(_parse(text))
    try:
        yield
    finally:
        _armed.clear()
        _armed.update(before)


def failpoint(name: str) -> None:
    """Mark a step. Costs one look into an empty dictionary when nothing is armed."""
    if not _armed:
        return
    _reached[name] = _reached.get(name, 0) + 1
    action = _armed.get(f"{name}@{_reached[name]}") or (_armed.get(name) if _reached[name] == 1 else None)
    if action is None:
        return
    what, _, argument = action.partition(":")
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "raise":
        raise FailpointError(name)
    elif what == "hold":
        path = Path(argument)
        partial = path.with_suffix(".partial")
        partial.write_text(str(os.getpid()))
        partial.rename(path)
        while path.exists():
            time.sleep(0.005)
    else:
        raise ValueError(f"{VARIABLE}: {action!r} is none of kill, stop, raise, hold:PATH")
