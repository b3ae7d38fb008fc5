"""One process tree: how long it took, what it computed, and how much memory all of it held at once."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_SAMPLE = 0.004
"""Seconds between two looks at the memory of a tree."""


class Cost(NamedTuple):
    """Seconds, and seconds of user and system time of the process and all that it waited for."""

    wall: float
    cpu: float


class Memory(NamedTuple):
    """Bytes of the whole tree at its largest."""

    pss: int
    """Pages that are shared count for each by its share: what the tree costs the machine."""
    rss: int
    """Pages that are shared count in full for each: what a container's limit is often compared with."""


def cost(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Cost:
    """Run it once, with nobody looking."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = _start(command, environment, folder, output.fileno())
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read().decode()}")
        return Cost(wall, used.ru_utime + used.ru_stime)


def memory(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Memory:
    """Run it once more, and look at its memory all the while (which makes it slower)."""
    process = _start(command, environment, folder, subprocess.DEVNULL)
    peaks = [0, 0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE):
            now = [held(pid) for pid in tree(process.pid)]
            for index in (0, 1):
                peaks[index] = max(peaks[index], sum(one[index] for one in now))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        code = process.wait()
    finally:
        over.set()
        looking.join()
    if code != 0:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return Memory(*peaks)


def _start(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(environment),
        cwd=folder,
    )


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for pid in found:
        try:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        except OSError:  # it ended meanwhile
            continue
    return found


def held(pid: int) -> tuple[int, int]:
    """Bytes of one process, PSS and RSS; nothing of one that has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0, 0
    fields = {line.split(":")[0]: line.split() for line in text.splitlines()[1:]}
    return int(fields["Pss"][1]) * 1024, int(fields["Rss"][1]) * 1024


def spent(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes have used so far."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):  # it ended meanwhile
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15]))  # its own, and that of children that have ended
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
