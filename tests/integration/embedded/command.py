"""A command that attaches to an embedded server, as a process of its own.

``python -m tests.integration.embedded.command HOME [MODE]`` prints ``PORT PASSWORD CHILD``, and lets go when its
input ends. MODE ``child`` starts a program that outlives it, ``fork`` a worker without exec. ``loop N`` first attaches
and lets go N times, each time waiting for a random moment around the server's stop.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from kubescribe.adapters.embedded.server import EmbeddedPostgres
from kubescribe.domain.errors import KubescribeError


def main(home: str, mode: str = "hold", times: str = "30") -> None:
    postgres = EmbeddedPostgres(Path(home), timeout=60)
    if mode == "loop":
        for _ in range(int(times)):
            loop_once(postgres, Path(home))
    with postgres.attach() as server:
        child = {"child": start_program, "fork": fork_worker}.get(mode, lambda: 0)()
        print(server.port, server.password, child, flush=True)
        sys.stdin.read()


def loop_once(postgres: EmbeddedPostgres, home: Path) -> None:
    import psycopg

    with postgres.attach() as server, psycopg.connect(server.url("runlog")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    enough = time.monotonic() + random.random() * 0.4
    while time.monotonic() < enough and not (home / "postgres" / "state").read_text().endswith("stopped\n"):
        time.sleep(0.001)


def start_program() -> int:
    return subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid


def fork_worker() -> int:
    child = os.fork()
    if child == 0:
        os.close(0)
        os.close(1)
        signal.pause()
    return child


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KubescribeError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        sys.exit(error.exit_code)
