"""This machine and its processes, as far as ``/proc`` tells (on systems without it, little is known)."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...domain.attempt import Whereabouts

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class ProcessStat(NamedTuple):
    """What ``/proc/<pid>/stat`` says of a process."""

    pid: int
    state: str
    session: int
    cpu_seconds: float
    """Its own, and that of its children that have ended and were waited for."""
    started_ticks: int
    rss: int
    """Bytes."""


def whereabouts() -> Whereabouts:
    """Of this process."""
    stat = read_stat(os.getpid())
    return Whereabouts(
        host=platform.node(),
        machine=_machine_id(),
        boot_id=boot_id(),
        pid=os.getpid(),
        started_ticks=stat.started_ticks if stat else None,
    )


def _machine_id() -> str | None:
    """Tells two machines of one name apart; None where the system has no such thing."""
    try:
        return Path("/etc/machine-id").read_text().strip() or None
    except OSError:
        return None


def boot_id() -> str | None:
    """The machine's boot; None where the system does not number them."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def read_stat(pid: int) -> ProcessStat | None:
    """The process, or None where it is gone (a zombie has ended, and is gone)."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The command's name may hold anything, parentheses and halves of characters included: the kernel cuts it at
    # 15 bytes. The fields begin after the last parenthesis.
    fields = text[text.rindex(b")") + 2 :].decode("ascii").split()
    if fields[0] in "ZX":
        return None
    cpu = sum(int(fields[index]) for index in (11, 12, 13, 14)) / _TICK
    return ProcessStat(pid, fields[0], int(fields[3]), cpu, int(fields[19]), int(fields[21]) * _PAGE)


def processes() -> Iterator[ProcessStat]:
    """All processes that can be seen."""
    try:
        entries = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    except OSError:
        return
    for pid in entries:
        stat = read_stat(pid)
        if stat is not None:
            yield stat


def children(pid: int) -> set[int]:
    """The processes whose parent this one is, those that have ended and were not waited for included."""
    found: set[int] = set()
    with contextlib.suppress(OSError):  # it may end while we look
        for file in (_PROC / str(pid) / "task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.update(int(child) for child in file.read_text().split())
    return found


def environment_has(pid: int, variable: str, value: str) -> bool:
    """Whether the process was started with this variable; False where one may not look."""
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"{variable}={value}".encode() in environ.split(b"\0")
