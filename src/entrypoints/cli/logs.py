"""``kubescribe logs RUN``: what a run printed, and with ``--follow`` what it prints."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt
from ...domain.log import LogChunk
from ..composition.container import Container
from ..settings import Settings
from .healing import heal
from .reading import find_run, reading

_POLL = 0.5
"""Seconds between two looks while following."""
_HEAL_EVERY = 4
"""Looks between two passes of the reconciler, which the embedded mode has nobody else for."""

_COLOUR_OR_CONTROL = re.compile(r"\x1b\[[0-9;:]*m|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_NO_COLOUR = "\x1b[0m"


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Print the output of a run, attempt by attempt; error output goes to our error output."""

    async def show(container: Container) -> int:
        run_log, history = container.run_log(), container.run_history()
        run_id = await find_run(run_log, args.run, tenant := settings.tenant)
        await run_log.get(run_id, tenant=tenant)
        seen: dict[UUID, int] = {}
        shown_last: Attempt | None = None
        said: set[str] = set()

        def say(text: str) -> None:
            if text not in said:  # a problem stays one at every pass
                said.add(text)
                print(f"kubescribe: {text}", file=sys.stderr)

        for look in itertools.count(1):
            # The state is read first: what was written before the end is then seen for certain.
            ended = (await run_log.get(run_id, tenant=tenant)).status.terminal
            for attempt in await history.attempts(run_id, tenant=tenant):
                if args.attempt is not None and attempt.number != args.attempt:
                    continue
                for chunk in await history.output(attempt.id, after=seen.get(attempt.id, 0), tenant=tenant):
                    seen[attempt.id] = chunk.seq
                    if not args.json and shown_last is not None and shown_last.id != attempt.id:
                        say(f"attempt {attempt.number}")
                    shown_last = attempt
                    _print(attempt, chunk, as_json=args.json)
            if ended or not args.follow:
                if not seen and not args.json:
                    print(f"it has printed nothing; for its notes: kubescribe show {run_id}", file=sys.stderr)
                return 0
            await asyncio.sleep(_POLL)
            if look % _HEAL_EVERY == 0 and container.databases().embedded:
                await heal(container, say)
        raise AssertionError("unreachable")

    return reading(settings, show)


def shown(text: str) -> str:
    """A line for a terminal: colours act, and end with the line; every other control character only shows."""
    found = set(_COLOUR_OR_CONTROL.findall(text))
    if not found:
        return text
    clean = _COLOUR_OR_CONTROL.sub(lambda one: one[0] if len(one[0]) > 1 else f"\\x{ord(one[0]):02x}", text)
    return clean + _NO_COLOUR if any(len(one) > 1 for one in found) else clean


def _print(attempt: Attempt, chunk: LogChunk, *, as_json: bool) -> None:
    for line in chunk.lines:
        if as_json:
            told = {"attempt": attempt.number, "at": line.at, "stream": line.stream, "text": line.text}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        else:
            stream = sys.stderr if line.stream == "err" else sys.stdout
            stream.write((shown(line.text) if stream.isatty() else line.text) + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
