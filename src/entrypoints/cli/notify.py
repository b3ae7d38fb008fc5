"""``kubescribe notify``: tell people what is due, and look at what could not be told."""

from __future__ import annotations

import argparse
import sys

from ...domain.announcement import Announcement
from ...domain.errors import NotConfigured, NotDelivered
from ...domain.exit_code import ExitCode
from ..composition.container import Container
from ..composition.notifying import channels, notify
from ..settings import Settings
from . import terminal
from .reading import reading

_TEST = Announcement(
    kind="test",
    title="A test",
    summary="If you can read this, failed runs will be told here. Somebody gave the command kubescribe notify --test.",
)


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the option says; 75 where something is still due."""

    async def act(container: Container) -> int:
        if args.dead:
            return await _dead(container, settings, as_json=args.json)
        if args.revive:
            revived = await container.outbox().revive(settings.tenant)
            print(f"{revived:,} message{'' if revived == 1 else 's'} will be sent again")
            return 0
        to = channels(settings)
        if not to:
            raise NotConfigured("telling people", "SMTP_URL with NOTIFY_EMAIL, or SLACK_WEBHOOK_URL")
        if args.test:
            return await _test(container, settings)
        done = await notify(container, to)()
        standing = await container.outbox().standing(settings.tenant)
        if args.json:
            terminal.print_json({"done": done, "standing": standing})
        else:
            print(f"{done.sent:,} message{'' if done.sent == 1 else 's'} sent")
        for problem in done.problems:
            print(f"kubescribe: {problem}", file=sys.stderr)
        if standing.due:
            print(f"kubescribe: {standing.due:,} still to be sent", file=sys.stderr)
        return ExitCode.TEMPORARY if standing.due else ExitCode.DONE

    return reading(settings, act)


async def _test(container: Container, settings: Settings) -> int:
    failed = 0
    for channel in channels(settings):
        for address in channel.addresses:
            try:
                await channel.send(_TEST, address, f"test.{container.ids().new()}")
            except NotDelivered as error:
                failed += 1
                print(f"kubescribe: {channel.name} to {address}: {error.why}", file=sys.stderr)
            else:
                print(f"{channel.name} to {address}: taken")
    return ExitCode.TEMPORARY if failed else ExitCode.DONE


async def _dead(container: Container, settings: Settings, *, as_json: bool) -> int:
    dead = await container.outbox().dead(settings.tenant)
    if as_json:
        terminal.print_json(dead)
        return 0
    rows = [
        (terminal.when(one.created_at), one.kind, one.pipeline, f"{one.channel}:{one.address}", one.attempts, one.error)
        for one in dead
    ]
    if not rows:
        print("Nothing was given up.")
        return 0
    terminal.show(terminal.table(("written", "what", "pipeline", "to", "tries", "why"), rows, wrap=("why",)))
    print("`kubescribe notify --revive` makes them due again.")
    return 0
