"""The termination message as a file, where Kubernetes reads it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ...domain.summary import Summary


class TerminationFile:
    """The :class:`~kubescribe.application.ports.termination_log.TerminationLog` in a file."""

    def __init__(self, path: Path | None) -> None:
        """``path``: None where nobody reads one."""
        self._path = path

    def write(self, summary: Summary) -> None:
        """Replace the file's content."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.write_bytes(summary.encoded())
