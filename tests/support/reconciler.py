"""``kubescribe reconcile`` in a process that stays warm: importing its adapters costs ten times what a pass does.

``python -m tests.support.reconciler``: for every line on standard input one run of the real command; for each a
line of JSON on standard output.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from .supervised import ROOT, dies_with_us


class Pass(NamedTuple):
    """What one pass answered."""

    exit_code: int
    changed: list[dict[str, Any]]
    problems: list[str]
    errors: str


class Passes(Protocol):
    """Does one pass when it is called."""

    def __call__(self) -> Pass: ...

    def close(self) -> None: ...


class Reconciler:
    """The test's side of the warm process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.reconciler"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            cwd=ROOT,
            text=True,
            preexec_fn=dies_with_us(),
        )

    def __call__(self) -> Pass:
        """One pass."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the reconciler ended with {self._process.wait(10)}"
        answer = json.loads(line)
        document = json.loads(answer["out"]) if answer["out"].strip() else {}
        return Pass(answer["code"], document.get("changed", []), document.get("problems", []), answer["err"])

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process.stdout.close()


def _serve() -> None:
    from kubescribe.entrypoints.cli.main import main

    answers = sys.stdout
    for _ in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["reconcile", "--json"])
        answers.write(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
