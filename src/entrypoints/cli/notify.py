"""``kubescribe notify``: tell people what is due, and look at what could not be told."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from ...domain.announcement import Announcement
from ...domain.errors import BadSetting, NotConfigured, NotDelivered
from ...domain.exit_code import ExitCode
from ..composition.container import Container
from ..composition.notifying import channels, notify, redactor, remind
from ..settings import Settings
from . import terminal
from .reading import reading

if TYPE_CHECKING:
    from ...application.ports.channel import Channel

_CHANNELS = "SMTP_URL with NOTIFY_EMAIL, SLACK_WEBHOOK_URL, NOTIFY_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY or APPRISE_URLS"
_TEST = Announcement(
    kind="test",
    title="A test",
    summary="If you can read this, failed runs will be told here. Somebody gave the command kubescribe notify test.",
)


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the option says; 75 where something is still due."""
    settings.notify.usable()
    test = args.test or args.act == "test"
    if args.act and (args.test or args.once or args.dead or args.revive):
        raise BadSetting("notify", "test comes alone, with or without a channel")
    if not (test or args.once or args.dead or args.revive):
        raise BadSetting("notify", "give one of test [CHANNEL], --once, --dead, --revive")

    async def act(container: Container) -> int:
        if args.dead:
            return await _dead(container, settings, as_json=args.json)
        if args.revive:
            revived = await container.outbox().revive(settings.tenant)
            print(f"{revived:,} message{'' if revived == 1 else 's'} will be sent again")
            return 0
        to = channels(settings)
        if not to:
            raise NotConfigured("telling people", _CHANNELS)
        if test:
            return await _test(container, to, args.channel)
        await remind(container)()
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


async def _test(container: Container, to: tuple[Channel, ...], only: str | None) -> int:
    every = [(channel, address) for channel in to for address in channel.addresses]
    chosen = [one for one in every if only in (None, one[0].name, f"{one[0].name}:{one[1]}")]
    if not chosen:
        there = ", ".join(f"{channel.name}:{address}" for channel, address in every)
        raise BadSetting("notify test", f"there is no channel {(only or '')[:80]!r}; there are {there}")
    hidden, failed = redactor(container).text, 0  # an answer may repeat the address that it was asked for
    for channel, address in chosen:
        message_id = f"test.{container.ids().new()}"
        key = f"kubescribe:test:{message_id}"
        try:
            await channel.send(msgspec.structs.replace(_TEST, key=key), address, message_id)
            if channel.alone:  # an alert would stay open, and wake somebody
                await channel.send(msgspec.structs.replace(_TEST, key=key, resolves=True), address, message_id)
        except NotDelivered as error:
            failed += 1
            print(f"kubescribe: {channel.name} to {address}: {hidden(error.why)}", file=sys.stderr)
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
