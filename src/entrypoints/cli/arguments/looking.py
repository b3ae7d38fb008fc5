"""The command line of what looks at runs and pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parser import json_flag

if TYPE_CHECKING:
    from .parser import Commands


def add_commands(commands: Commands) -> None:
    """Add them."""
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
    json_flag(runs)

    show = commands.add_parser("show", help="everything on record about a run")
    show.add_argument("run", help="its id, or the beginning or end of it")
    json_flag(show)

    logs = commands.add_parser("logs", help="what a run printed")
    logs.add_argument("run", help="its id, or the beginning or end of it")
    logs.add_argument("--follow", "-f", action="store_true", help="go on until the run has ended")
    logs.add_argument("--attempt", type=int, help="of this attempt (default: all)")
    json_flag(logs)

    explain = commands.add_parser("explain", help="why a run or a pipeline is late, failed, waits, or has not run")
    explain.add_argument("what", metavar="RUN|PIPELINE", help="a pipeline's name, or a run's id")
    json_flag(explain)

    pipelines = commands.add_parser("pipelines", help="list the pipelines, or show the declaration of one")
    pipelines.add_argument("pipeline", nargs="?")
    json_flag(pipelines)

    slots = commands.add_parser("slots", help="what was expected of a pipeline's schedule, and what became of it")
    slots.add_argument("pipeline")
    slots.add_argument("--back", default="24h", metavar="DURATION", help="so far back (default: 24h)")
    slots.add_argument("--ahead", default="24h", metavar="DURATION", help="so far ahead, up to 48h (default: 24h)")
    json_flag(slots)

    schedule = commands.add_parser(
        "schedule", help="when a pipeline is due; schedule lint: what is wrong with schedules"
    )
    schedule.add_argument("pipeline", help="its name, or lint for what is wrong with the schedules of all")
    schedule.add_argument("--check", action="store_true", help="of lint: a finding is exit code 65")
    schedule.add_argument("--count", type=int, default=5, metavar="N", help="slots to show")
    json_flag(schedule)
