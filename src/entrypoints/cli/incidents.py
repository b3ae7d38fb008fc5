"""``kubescribe incidents``: what is wrong, and who looks after it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from rich.text import Text

from ...application.handle_incident import Acknowledge, Act, Assign, Note, Snooze
from ...application.ports.incidents import IncidentFilter
from ...domain.duration import parse_duration
from ...domain.errors import BadDuration, BadSetting, IncidentNotFound
from ...domain.event import Event
from ...domain.incident import Incident
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import METHOD, reading

_MOST = 500


def main(args: argparse.Namespace, settings: Settings) -> int:
    """List, show or handle."""
    if args.verb is None:
        return reading(settings, lambda container: _list(args, settings, container))
    if args.verb == "show":
        return reading(settings, lambda container: _show(args, settings, container))
    act = _act(args)  # before any database is opened
    return reading(settings, lambda container: _handle(args, settings, container, act))


async def _list(args: argparse.Namespace, settings: Settings, container: Container) -> int:
    if not 1 <= args.limit <= _MOST:
        raise BadSetting("--limit", f"{args.limit} is not between 1 and {_MOST}")
    which = IncidentFilter(tenant=settings.tenant, open=None if args.all else True, pipeline=args.pipeline)
    found = await container.incidents().find(which, limit=args.limit, before=args.before)
    if args.json:
        terminal.print_json(found)
        return 0
    if not found:
        print("There is no incident." if args.all else "No incident is open.")
        return 0
    rows = [
        (
            str(one.id),
            one.pipeline,
            one.kind.value,
            Text("open", style="bold red") if one.is_open else Text("recovered", style="green"),
            str(one.count),
            terminal.when(one.since),
            one.why or "",
            _whose(one),
        )
        for one in found
    ]
    columns = ("no.", "pipeline", "kind", "status", "times", "since", "why", "who")
    terminal.show(terminal.table(columns, rows, wrap=("why", "who")))
    if len(found) == args.limit:
        terminal.console().print(f"older ones: --before {found[-1].id}", style="dim")
    return 0


async def _show(args: argparse.Namespace, settings: Settings, container: Container) -> int:
    record = await container.incidents().get(_number(args.number), tenant=settings.tenant)
    if args.json:
        terminal.print_json(record)
        return 0
    one, console = record.incident, terminal.console()
    console.print(f"incident {one.id}: {one.kind} of {one.pipeline} is {one.status}", style="bold", markup=False)
    for name, value in _facts(one):
        console.print(f"  {name:<13} {value}", markup=False)
    console.print()
    for event in record.events:
        console.print(f"{terminal.when(event.at)}  {_sentence(event)}", markup=False)
    return 0


async def _handle(args: argparse.Namespace, settings: Settings, container: Container, act: Act) -> int:
    after = await container.handle_incident()(
        _number(args.number),
        act,
        actor=settings.actor,
        reason=getattr(args, "reason", None),
        tenant=settings.tenant,
        method=METHOD,
    )
    if args.json:
        terminal.print_json(after)
    else:
        done = {
            Acknowledge: f"is looked after by {after.acknowledged_by}",
            Snooze: f"is put off until {terminal.when(after.snoozed_until)}",
            Assign: f"is {after.assigned_to}'s" if after.assigned_to else "is nobody's",
            Note: "has the note",
        }[type(act)]
        print(f"incident {after.id} of {after.pipeline} {done}")
    return 0


def _act(args: argparse.Namespace) -> Act:
    match args.verb:
        case "ack":
            return Acknowledge()
        case "snooze":
            return Snooze(_moment(args.until))
        case "assign":
            if (args.to is None) is not args.nobody:
                raise BadSetting("assign", "give a name, or --nobody")
            return Assign(args.to)
        case _:
            if not args.text.strip():
                raise BadSetting("note", "there is nothing to write down")
            return Note(args.text)


def _facts(one: Incident) -> list[tuple[str, str]]:
    facts = [("times", str(one.count)), ("since", terminal.when(one.since)), ("last", terminal.when(one.last_at))]
    optional = (
        ("why", one.why),
        ("last run", one.run_id),
        ("came back", f"{one.reopened} times" if one.reopened else None),
        ("recovered", terminal.when(one.recovered_at) if one.recovered_at else None),
        ("by run", one.recovered_by),
        (
            "acknowledged",
            f"{terminal.when(one.acknowledged_at)} by {one.acknowledged_by}" if one.acknowledged_at else None,
        ),
        ("put off until", terminal.when(one.snoozed_until) if one.snoozed_until else None),
        ("whose", one.assigned_to),
    )
    return facts + [(name, str(value)) for name, value in optional if value is not None]


def _sentence(event: Event) -> str:
    what = event.kind.removeprefix("incident.")
    text = f"{what} by {event.actor}" if event.method else what
    after = {name: value for name, value in (event.after or {}).items() if name != "status"}
    if after and what in ("snoozed", "assigned"):
        text += f": {next(iter(after.values())) or 'nobody'}"
    words = event.reason or event.data.get("why")
    return f"{text}: {words}" if words else text


def _whose(one: Incident) -> str:
    told = [one.assigned_to] if one.assigned_to else []
    told += [f"seen by {one.acknowledged_by}"] if one.acknowledged_by else []
    return ", ".join(told)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise IncidentNotFound(text)
    return int(text)


def _moment(text: str) -> datetime:
    """A time with its offset, or a length of time from now."""
    try:
        return datetime.now(UTC) + parse_duration(text)
    except (BadDuration, OverflowError):
        pass
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError
    except ValueError:
        raise BadSetting(
            "UNTIL", f"{text!r} is neither a time with an offset, like 2026-11-21T05:00:00Z, nor a duration like 2h"
        ) from None
    return time
