"""``kubescribe``: reads the command line and hands over to the command's own module."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import signal
import sys
from pathlib import Path

from ...domain.errors import KubescribeError
from ...domain.exit_code import ExitCode
from ...domain.nearest import did_you_mean
from .arguments import access, incidents, looking, operation, reports, running
from .arguments.parser import Parser

MODULES = {
    "run": "execute",
    "exec": "execute",
    "trigger": "trigger",
    "cancel": "cancel",
    "retry": "retry",
    "explain": "explain",
    "pause": "pause",
    "resume": "pause",
    "publish": "execute",
    "runs": "runs",
    "show": "show",
    "logs": "logs",
    "reports": "reports",
    "rows": "rows",
    "diff": "diff",
    "rollback": "rollback",
    "verify": "verify",
    "pipelines": "pipelines",
    "schedule": "schedule",
    "slots": "slots",
    "incidents": "incidents",
    "reconcile": "reconcile",
    "audit": "audit",
    "notify": "notify",
    "migrate": "migrate",
    "psql": "psql",
    "manifests": "manifests",
    "drift": "drift",
    "api": "api",
    "token": "token",
    "sign-in": "sign_in",
}
"""Which module of this package serves a command."""


class _Root(Parser):
    """The command line before the command: a word that is none is answered with what it may have been."""

    def error(self, message: str) -> None:  # type: ignore[override]
        word = _UNKNOWN.match(message)
        if word is None:
            super().error(message)
            return
        known = did_you_mean(word[1], sorted(MODULES))
        self.exit(
            ExitCode.USAGE, f"kubescribe: there is no command {word[1]}{known}; `kubescribe --help` lists them all\n"
        )


_UNKNOWN = re.compile(r"argument COMMAND: invalid choice: '(.*)' \(choose from .*", re.DOTALL)


class _Version(argparse.Action):
    """Prints the installed version; looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"kubescribe {version('kubescribe')}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = _Root(prog="kubescribe", description="Scheduled data jobs with a record that is always true.")
    root.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    running.add_commands(commands)
    looking.add_commands(commands)
    incidents.add_commands(commands)
    reports.add_commands(commands)
    operation.add_commands(commands)
    access.add_commands(commands)
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    _open_standard_streams()
    args = parser().parse_args(argv)
    # The user's pipelines are imported from where the command is given, as with `python -m`.
    here = str(Path.cwd())
    if "" not in sys.path and here not in sys.path:
        sys.path.insert(0, here)
    try:
        from ..settings import load_settings

        settings = load_settings(os.environ, Path.cwd())
        module = importlib.import_module(f".{MODULES[args.command]}", __package__)
        code: int = module.main(args, settings)
        return code
    except KubescribeError as error:
        print(f"kubescribe: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PAYLOAD


def _open_standard_streams() -> None:
    """Give this process the three streams that it was started without, before another file gets one's number."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
            os.set_inheritable(fd, True)  # a command inherits its standard input
    # Python has none for what was closed when it started.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own, to its end
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(main())
