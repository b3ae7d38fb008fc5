"""``kubescribe logs RUN``: what a run printed, and with ``--follow`` what it prints."""

from __future__ import annotations

import argparse
import asyncio
import sys
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt
from ...domain.log import LogChunk
from ..composition.container import Container
from ..settings import Settings
from .reading import find_run, reading

_POLL = 0.5
"""Seconds between two looks while following."""


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Print the output of a run, attempt by attempt; error output goes to our error output."""

    async def show(container: Container) -> int:
        run_log, history = container.run_log(), container.run_history()
        run_id = await find_run(run_log, args.run)
        await run_log.get(run_id)
        seen: dict[UUID, int] = {}
        while True:
            # The state is read first: what was written before the end is then seen for certain.
            ended = (await run_log.get(run_id)).status.terminal
            for attempt in await history.attempts(run_id):
                if args.attempt is not None and attempt.number != args.attempt:
                    continue
                for chunk in await history.output(attempt.id, after=seen.get(attempt.id, 0)):
                    seen[attempt.id] = chunk.seq
                    _print(attempt, chunk, as_json=args.json)
            if ended or not args.follow:
                if not seen and not args.json:
                    print(f"it has printed nothing; for its notes: kubescribe show {run_id}", file=sys.stderr)
                return 0
            await asyncio.sleep(_POLL)

    return reading(settings, show)


def _print(attempt: Attempt, chunk: LogChunk, *, as_json: bool) -> None:
    for line in chunk.lines:
        if as_json:
            told = {"attempt": attempt.number, "at": line.at, "stream": line.stream, "text": line.text}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        else:
            stream = sys.stderr if line.stream == "err" else sys.stdout
            stream.write(line.text + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
