"""Looking at processes through /proc."""

from __future__ import annotations

from pathlib import Path


def children(parent: int) -> list[int]:
    """The pids whose parent is ``parent``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(after_name[1]) == parent:
            found.append(int(folder.name))
    return found


def command_line(pid: int) -> list[str]:
    """The argument list of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
