"""What an image would bring: where there is none, the test's own programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PATH = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))


@dataclass(frozen=True)
class Image:
    """The same for every container: image names mean nothing."""

    entrypoint: Sequence[str] = ("kubescribe",)
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment beside PATH, which holds the programs of the test's venv."""
    folder: Path | None = None
    """The working directory; None for one of the container's own."""

    @property
    def environment(self) -> dict[str, str]:
        """With PATH."""
        return {"PATH": _PATH, "LANG": "C.UTF-8", **self.variables}
