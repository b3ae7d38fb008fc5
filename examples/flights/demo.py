"""``make demo``: what a first quarter of an hour with KubeScribe would be, in seconds.

Drives the command line as a user would, on the embedded databases (or on those of the settings), and keeps them up
from the first step to the last.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console
from rich.markup import escape
from uuid_utils.compat import uuid7

from kubescribe.domain.errors import KubescribeError

from .dataset import DatasetError, load

PIPELINES = "examples.flights.pipeline"
ROOT = Path(__file__).resolve().parents[2]

_console = Console(highlight=False)


class StepFailed(Exception):
    """A command of the demo ended with an exit code other than 0."""

    def __init__(self, command: str, exit_code: int) -> None:
        self.exit_code = exit_code if exit_code > 0 else 128 - exit_code  # below 0: a signal, as shells count them
        super().__init__(f"`{command}` failed with exit code {self.exit_code}; the demo ends here")


def main() -> int:
    """Run the demo; the exit code is 0 or that of the step that failed."""
    # The commands find the pipeline by the setting, wherever the demo was started.
    os.environ["KUBESCRIBE_PIPELINES"] = PIPELINES
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # Told to end, it tells the command that it waits for, and leaves nothing running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        _demo()
    except StepFailed as failed:
        return _fail(str(failed), failed.exit_code)
    except DatasetError as refused:
        return _fail(f"The flights cannot be loaded: {refused}", 1)
    except psycopg.Error as refused:
        return _fail(f"The flights cannot be loaded into the production database: {refused}", 1)
    except KubescribeError as refused:
        return _fail(str(refused), refused.exit_code)
    except KeyboardInterrupt:
        return _fail("Interrupted.", 128 + signal.SIGINT)
    return 0


def _demo() -> None:
    _heading("KubeScribe on New York's flights of 2013")
    _console.print(
        "Loads 336,776 flights and their weather into the production database (an embedded PostgreSQL, unless the "
        "settings name yours), runs the pipeline of examples/flights/pipeline.py on them, and shows what was recorded "
        "and what was published."
    )
    run_id = str(uuid7())
    with databases() as production:
        _heading("The data set")
        load(production, lambda line: _console.print(f"  {escape(line)}"))
        _step("The run", "run", "airport_delays", "--run-id", run_id)
        _step("What is on record about it", "show", run_id)
        _step("The reports", "reports")
        _step("Their first rows", "reports", "airport_delays")
        _step(None, "reports", "carrier_league")
    _heading("To look further")
    _console.print(f"  export KUBESCRIBE_PIPELINES={PIPELINES} PYTHONPATH=.", soft_wrap=True)
    for command, what in (
        ("runs", "all runs so far"),
        (f"logs {run_id}", "what this one printed"),
        ("pipelines", "the pipeline's schedule and parameters"),
        ("run airport_delays --param month=2", "February alone"),
        ("rollback airport_delays", "back to the report before"),
        ("exec -- examples/scripts/nightly.sh", "any script, recorded the same way"),
    ):
        _console.print(f"  .venv/bin/kubescribe {command}  [dim]# {what}[/dim]", soft_wrap=True)


@contextmanager
def databases() -> Iterator[str]:
    """The databases of the settings, up until the end of the block; gives the production database's conninfo."""
    # Imported here, so that the first lines are on the screen meanwhile.
    from kubescribe.entrypoints.composition.databases import open_databases
    from kubescribe.entrypoints.settings import load_settings

    with open_databases(load_settings(os.environ, Path.cwd())) as opened:
        yield opened.production.for_libpq()


def _step(title: str | None, *arguments: str) -> None:
    """Run one command of ours, its output let through; raises ``StepFailed``."""
    if title is not None:
        _heading(title)
    shown = " ".join(("kubescribe", *arguments))
    _console.print(f"[bold]$[/bold] {escape(shown)}", soft_wrap=True)
    sys.stdout.flush()  # before the command writes to the same place
    with subprocess.Popen([sys.executable, "-m", "kubescribe.entrypoints.cli.main", *arguments]) as command:
        try:
            exit_code = command.wait()
        except KeyboardInterrupt:
            command.wait()  # the terminal told it too: it records the interruption before it ends
            raise
        except SystemExit:
            command.terminate()
            command.wait()
            raise
    if exit_code != 0:
        raise StepFailed(shown, exit_code)


def _heading(text: str) -> None:
    _console.print()
    _console.rule(f"[bold]{escape(text)}[/bold]", align="left")


def _fail(message: str, exit_code: int) -> int:
    sys.stdout.flush()
    print(message, file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
