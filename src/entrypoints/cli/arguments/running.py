"""The command line of what starts, ends and holds back runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .parser import json_flag

if TYPE_CHECKING:
    from .parser import Commands


def add_commands(commands: Commands) -> None:
    """Add them."""
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

    trigger = commands.add_parser("trigger", help="run a pipeline in the background, safe to repeat")
    trigger.add_argument("pipeline")
    trigger.add_argument("--param", "-p", action="append", default=[], metavar="NAME=VALUE", help="a parameter")
    trigger.add_argument("--key", help="the same key and request is the same run, for seven days")
    trigger.add_argument("--slot", metavar="TIME", help="the scheduled time that this run is for (ISO, with zone)")
    trigger.add_argument("--reason", help="why, kept on record")
    trigger.add_argument("--rehearse", action="store_true", help="publish nothing: record how the reports would change")
    json_flag(trigger)

    retry = commands.add_parser("retry", help="run again what did not succeed, as a new run")
    retry.add_argument("run", help="its id, or the beginning or end of it")
    retry.add_argument("--key", help="the same key and request is the same run, for seven days")
    retry.add_argument("--reason", help="why, kept on record")
    json_flag(retry)

    cancel = commands.add_parser("cancel", help="end a run, and see that it is gone")
    cancel.add_argument("run", help="its id, or the beginning or end of it")
    cancel.add_argument("--reason", help="kept on record")
    cancel.add_argument("--no-wait", action="store_true", help="ask for it, and leave the rest to the reconciler")
    json_flag(cancel)

    for name, does in (("pause", "let its slots go by"), ("resume", "let its slots count again")):
        pausing = commands.add_parser(name, help=f"of a scheduled pipeline: {does}")
        pausing.add_argument("pipeline")
        pausing.add_argument("--reason", help="kept on record")
        if name == "pause":
            pausing.add_argument(
                "--until", metavar="TIME", help="its end: a time (ISO, with zone), or a length like 2h"
            )
        json_flag(pausing)


def _execution(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run-id", metavar="UUID", help="the run to take, or to make under this id")
    command.add_argument("--retries", type=int, help="further attempts after a failure")
    command.add_argument("--retry-delay", metavar="TIME", help="between two attempts")
    command.add_argument("--slot", metavar="TIME", help="the scheduled time that this run is for (ISO, with zone)")
    command.add_argument("--reason", help="why, kept on record")
