"""The command line of what keeps an installation going."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .parser import Parser, json_flag

if TYPE_CHECKING:
    from .parser import Commands


def add_commands(commands: Commands) -> None:
    """Add them."""
    reconcile = commands.add_parser("reconcile", help="give runs that nobody works on their verdict")
    json_flag(reconcile)

    audit = commands.add_parser("audit", help="the chain of events: is the past as it was written?")
    acts = audit.add_subparsers(dest="act", required=True, metavar="ACT", parser_class=Parser)
    checked = acts.add_parser("verify", help="look for what was changed since (0: nothing, 65: something)")
    checked.add_argument(
        "--anchor", metavar="FILE", help="compare with the anchors in this file, too (-: standard input)"
    )
    json_flag(checked)
    acts.add_parser("anchor", help="print the chain's head, to be kept outside")
    acts.add_parser("seal", help="seal what waits, where no API process runs")

    told = commands.add_parser("notify", help="send what people are to be told of failed, lost and recovered runs")
    told.add_argument("act", nargs="?", choices=("test",), help="test: send a message, to see whether it arrives")
    told.add_argument("channel", nargs="?", metavar="CHANNEL", help="to this channel alone: email, slack:ops, …")
    how = told.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="send what is due now, and end (75: something has to wait)")
    how.add_argument("--dead", action="store_true", help="list what was given up")
    how.add_argument("--revive", action="store_true", help="make what was given up due again")
    how.add_argument("--test", action="store_true", help="as test, to everybody")
    json_flag(told)

    psql = commands.add_parser("psql", help="open psql on one of the databases, the embedded ones included")
    psql.add_argument("database", choices=("runlog", "production", "report"))
    psql.add_argument("argv", nargs=argparse.REMAINDER, metavar="ARGUMENTS", help="psql's own: -c, -f, --csv, …")

    api = commands.add_parser("api", help="serve the HTTP API, and look after the runs")
    api.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    api.add_argument("--port", type=int, default=8000, help="(default: 8000; 0: any that is free)")
    api.add_argument("--sign-in", action="store_true", help="print a link that signs an administrator in, once")
    api.add_argument("--no-reconciler", action="store_true", help="serve only; another process looks after the runs")

    manifests = commands.add_parser("manifests", help="print the CronJobs of all declared pipelines")
    where = manifests.add_mutually_exclusive_group()
    where.add_argument("--out", metavar="DIR", help="write a file for each, and a kustomization, instead")
    where.add_argument("--check", metavar="DIR", help="compare with these files (65: they differ, and how)")

    drift = commands.add_parser("drift", help="what of the cluster's CronJobs is not as declared (65: something)")
    json_flag(drift)

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
