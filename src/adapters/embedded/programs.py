"""Running PostgreSQL's own programs."""

from __future__ import annotations

import os
import re
import subprocess

from .binaries import Binaries
from .privileges import Identity, become


class Failed(Exception):
    """A PostgreSQL program ended with an error; the message is its own last relevant line."""

    def __init__(self, message: str, output: str = "") -> None:
        self.output = output
        super().__init__(message)


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: no secret of ours, and no PG* variable of the user's."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def last_words(output: str) -> str:
    """The line of a PostgreSQL program's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR|error):", line)]
    return (telling or lines or ["it said nothing"])[-1]


def run_program(binaries: Binaries, identity: Identity, command: list[str], standard_input: str = "") -> None:
    """Run one program of ``binaries`` to its end, as ``identity``. Raises :class:`Failed`."""
    result = subprocess.run(
        [binaries.program(command[0]), *command[1:]],
        input=standard_input,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        env=environment(),
        preexec_fn=become(identity, dies_with=os.getpid()),
        check=False,
    )
    if result.returncode != 0:
        raise Failed(f"{command[0]}: {last_words(result.stdout)}", result.stdout)
