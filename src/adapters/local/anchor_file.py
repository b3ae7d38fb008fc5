"""Anchors to a file."""

from __future__ import annotations

import os
from pathlib import Path

from ...domain.errors import AnchorNotSent
from ...domain.event_chain import Anchor, anchor_line


class AnchorFile:
    """:class:`~kubescribe.application.ports.anchor_target.AnchorTarget` that adds a line to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """See the port."""
        return str(self._path)

    async def take(self, anchor: Anchor) -> None:
        """See the port. On the disk when it returns, and written at once: two processes do not mix their lines."""
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                os.write(file, anchor_line(anchor) + b"\n")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise AnchorNotSent(self.name, error.strerror or type(error).__name__) from error
