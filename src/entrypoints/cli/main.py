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

MODULES = {
    "run": "execute",
    "exec": "execute",
    "publish": "execute",
    "trigger": "trigger",
    "cancel": "cancel",
    "retry": "retry",
    "explain": "explain",
    "pause": "pause",
    "resume": "pause",
    "runs": "runs",
    "show": "show",
    "logs": "logs",
    "reports": "reports",
    "rollback": "rollback",
    "verify": "verify",
    "pipelines": "pipelines",
    "schedule": "schedule",
    "reconcile": "reconcile",
    "audit": "audit",
    "notify": "notify",
    "migrate": "migrate",
    "psql": "psql",
}
"""Which module of this package serves a command."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints end with the exit code of DESIGN section 4."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


class _Root(_Parser):
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
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    run = commands.add_parser("run", help="run a pipeline, here and now")
    run.add_argument("pipeline")
    run.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter; repeatable")
    run.add_argument("--rehearse", action="store_true", help="publish nothing: record how the reports would change")
    run.add_argument("--detach", action="store_true", help="start it in the background, and print its id")
    _execution(run)

    command = commands.add_parser("exec", help="run any command, recorded like a pipeline")
    command.add_argument("--name", help="the name under which it is recorded (default: the command's file name)")
    command.add_argument("--run-deadline", metavar="TIME", help="after which it is ended (default: 1d)")
    _execution(command)
    command.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD…")

    publish = commands.add_parser("publish", help="make a report of a file's rows, recorded like a pipeline")
    publish.add_argument("report")
    publish.add_argument("file", help="a .parquet or .csv file, or - for CSV on standard input")
    publish.add_argument("--key", action="append", default=[], metavar="COLUMN", help="identifies a row; repeatable")
    publish.add_argument("--name", help="the name under which it is recorded (default: the report's)")
    _execution(publish)

    runs = commands.add_parser("runs", help="list runs, newest first")
    runs.add_argument("--pipeline", help="of this pipeline only")
    runs.add_argument("--status", action="append", help="in this state only; repeatable")
    runs.add_argument("--trigger", help="started so only: manual, schedule, api, retry or chain")
    runs.add_argument("--actor", help="started by this one only")
    runs.add_argument("--since", metavar="TIME", help="created at this time (ISO) or later")
    runs.add_argument("--until", metavar="TIME", help="created before this time (ISO)")
    runs.add_argument("--param", "-p", action="append", default=[], metavar="NAME=VALUE", help="with this parameter")
    runs.add_argument("--retry-of", metavar="RUN", help="retries of this run only")
    runs.add_argument("--limit", type=int, default=20)
    runs.add_argument("--before", metavar="PLACE", help="older than the page that has printed this place")
    _json(runs)

    trigger = commands.add_parser("trigger", help="run a pipeline in the background, safe to repeat")
    trigger.add_argument("pipeline")
    trigger.add_argument("--param", "-p", action="append", default=[], metavar="NAME=VALUE", help="a parameter")
    trigger.add_argument("--key", help="the same key and request is the same run, for seven days")
    trigger.add_argument("--slot", metavar="TIME", help="the scheduled time that this run is for (ISO, with zone)")
    trigger.add_argument("--reason", help="why, kept on record")
    trigger.add_argument("--rehearse", action="store_true", help="publish nothing: record how the reports would change")
    _json(trigger)

    retry = commands.add_parser("retry", help="run again what did not succeed, as a new run")
    retry.add_argument("run", help="its id, or the beginning or end of it")
    retry.add_argument("--key", help="the same key and request is the same run, for seven days")
    retry.add_argument("--reason", help="why, kept on record")
    _json(retry)

    cancel = commands.add_parser("cancel", help="end a run, and see that it is gone")
    cancel.add_argument("run", help="its id, or the beginning or end of it")
    cancel.add_argument("--reason", help="kept on record")
    cancel.add_argument("--no-wait", action="store_true", help="ask for it, and leave the rest to the reconciler")
    _json(cancel)

    for name, does in (("pause", "let its slots go by"), ("resume", "let its slots count again")):
        pausing = commands.add_parser(name, help=f"of a scheduled pipeline: {does}")
        pausing.add_argument("pipeline")
        pausing.add_argument("--reason", help="kept on record")
        if name == "pause":
            pausing.add_argument(
                "--until", metavar="TIME", help="its end: a time (ISO, with zone), or a length like 2h"
            )
        _json(pausing)

    explain = commands.add_parser("explain", help="why a run or a pipeline is late, failed, waits, or has not run")
    explain.add_argument("what", metavar="RUN|PIPELINE", help="a pipeline's name, or a run's id")
    _json(explain)

    show = commands.add_parser("show", help="everything on record about a run")
    show.add_argument("run", help="its id, or the beginning or end of it")
    _json(show)

    logs = commands.add_parser("logs", help="what a run printed")
    logs.add_argument("run", help="its id, or the beginning or end of it")
    logs.add_argument("--follow", "-f", action="store_true", help="go on until the run has ended")
    logs.add_argument("--attempt", type=int, help="of this attempt (default: all)")
    _json(logs)

    reports = commands.add_parser("reports", help="list reports, or show the first rows of one")
    reports.add_argument("report", nargs="?")
    reports.add_argument("--limit", type=int, default=10, help="rows to show")
    _json(reports)

    rollback = commands.add_parser("rollback", help="show a report again as it was before")
    rollback.add_argument("report")
    rollback.add_argument(
        "--to", type=int, metavar="VERSION", help="as it was after this publication (default: the one before the last)"
    )
    rollback.add_argument("--reason", help="kept on record")
    _json(rollback)

    verify = commands.add_parser("verify", help="are a report's rows those that were published? (0: yes, 65: no)")
    verify.add_argument("report")
    _json(verify)

    pipelines = commands.add_parser("pipelines", help="list the pipelines, or show the declaration of one")
    pipelines.add_argument("pipeline", nargs="?")
    _json(pipelines)

    schedule = commands.add_parser("schedule", help="when a pipeline is due")
    schedule.add_argument("pipeline")
    schedule.add_argument("--count", type=int, default=5, metavar="N", help="slots to show")
    _json(schedule)

    reconcile = commands.add_parser("reconcile", help="give runs that nobody works on their verdict")
    _json(reconcile)

    audit = commands.add_parser("audit", help="the chain of events: is the past as it was written?")
    acts = audit.add_subparsers(dest="act", required=True, metavar="ACT", parser_class=_Parser)
    checked = acts.add_parser("verify", help="look for what was changed since (0: nothing, 65: something)")
    checked.add_argument(
        "--anchor", metavar="FILE", help="compare with the anchors in this file, too (-: standard input)"
    )
    _json(checked)
    acts.add_parser("anchor", help="print the chain's head, to be kept outside")
    acts.add_parser("seal", help="seal what waits, where no API process runs")

    told = commands.add_parser("notify", help="send what people are to be told of failed, lost and recovered runs")
    how = told.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="send what is due now, and end (75: something has to wait)")
    how.add_argument("--dead", action="store_true", help="list what was given up")
    how.add_argument("--revive", action="store_true", help="make what was given up due again")
    how.add_argument("--test", action="store_true", help="send a message to everybody, to see whether it arrives")
    _json(told)

    psql = commands.add_parser("psql", help="open psql on one of the databases, the embedded ones included")
    psql.add_argument("database", choices=("runlog", "production", "report"))
    psql.add_argument("argv", nargs=argparse.REMAINDER, metavar="ARGUMENTS", help="psql's own: -c, -f, --csv, …")

    migrate = commands.add_parser("migrate", help="bring the databases' schemas up to date")
    printed = migrate.add_mutually_exclusive_group()
    printed.add_argument("--sql", choices=("runlog", "report"), help="print it for psql instead")
    printed.add_argument(
        "--grants",
        nargs=2,
        metavar=("PUBLISHER", "READER"),
        help="print for psql what these two roles need in the report database",
    )
    printed.add_argument(
        "--runlog-grants", metavar="ROLE", help="print for psql what the role of everyday work needs in RunLog"
    )
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


def _execution(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run-id", metavar="UUID", help="the run to take, or to make under this id")
    command.add_argument("--retries", type=int, help="further attempts after a failure")
    command.add_argument("--retry-delay", metavar="TIME", help="between two attempts")
    command.add_argument("--slot", metavar="TIME", help="the scheduled time that this run is for (ISO, with zone)")
    command.add_argument("--reason", help="why, kept on record")


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for programs")


if __name__ == "__main__":
    sys.exit(main())
