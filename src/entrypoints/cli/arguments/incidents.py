"""The command line of incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parser import Parser, json_flag

if TYPE_CHECKING:
    from .parser import Commands


def add_commands(commands: Commands) -> None:
    """``kubescribe incidents``."""
    incidents = commands.add_parser("incidents", help="what is wrong, and who looks after it")
    which = incidents.add_mutually_exclusive_group()
    which.add_argument("--open", action="store_true", help="those that are open (default)")
    which.add_argument("--all", action="store_true", help="those that are over, too")
    incidents.add_argument("--pipeline", help="of this pipeline only")
    incidents.add_argument("--limit", type=int, default=50)
    incidents.add_argument("--before", type=int, metavar="N", help="with smaller numbers than this")
    json_flag(incidents)
    verbs = incidents.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)

    show = verbs.add_parser("show", help="one incident, and everything that was written about it")
    ack = verbs.add_parser("ack", help="say that you look after it")
    snooze = verbs.add_parser("snooze", help="have nobody told of it again for a while")
    assign = verbs.add_parser("assign", help="say whose it is")
    note = verbs.add_parser("note", help="write something down about it")
    for verb in (show, ack, snooze, assign, note):
        verb.add_argument("number", metavar="N", help="its number")
    snooze.add_argument("until", metavar="UNTIL", help="a length of time, like 2h, or a time with its offset")
    assign.add_argument("to", nargs="?", metavar="WHOM", help="in words")
    assign.add_argument("--nobody", action="store_true", help="it is nobody's again")
    note.add_argument("text", metavar="TEXT")
    for verb in (ack, snooze, assign):
        verb.add_argument("--reason", help="kept on record")
    for verb in (show, ack, snooze, assign, note):
        json_flag(verb)
