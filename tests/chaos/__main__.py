"""A campaign of random faults: at the end how many of what, how long, and what was broken."""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import time
from collections import Counter

from . import notices
from .campaign import cases
from .plots import Only, draw
from .summary import summary
from .workers import shared

_EVERY = 50
"""Cases, after each of which it says how far it is."""


def main() -> int:
    """0: everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many cases")
    parser.add_argument("--seed", type=int, default=None, help="the first case's number; the next ones count up")
    parser.add_argument("--only", type=Only, choices=list(Only), default=Only.ALL, help="one category of faults")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    parser.add_argument("--workers", type=int, default=1, help="processes, each with a world of its own")
    args = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if args.seed is None else args.seed
    until = None if args.minutes is None else time.monotonic() + args.minutes * 60
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way it says how far it came
    print(f"seed {seed}", flush=True)
    if args.only is Only.NOTICES:
        return notices.main(args.n, seed)
    began, played, broken = time.monotonic(), 0, []
    acts: Counter[str] = Counter()
    numbers = range(seed, seed + args.n)
    playing = cases(numbers, args.only, until) if args.workers == 1 else shared(numbers, args.only, until, args.workers)
    with contextlib.suppress(KeyboardInterrupt):
        for case in playing:
            played += 1
            if case.held:
                acts += case.acts
                print(f"{case.number}: {case.text} ({case.seconds:.1f} s)", flush=True)
            else:
                broken.append(case.number)
                print(f"BROKEN, {_again(case.number, args.only)}: {case.text}", flush=True)
            if played % _EVERY == 0:
                print(f"so far {played} cases, {len(broken)} broken: {summary(acts)}", flush=True)
    took = time.monotonic() - began
    print(f"{played} cases from seed {seed} in {took:.0f} s: {len(broken)} broken\n{summary(acts)}")
    for number in broken:
        print(f"  {_again(number, args.only)}    # {draw(number, args.only).text}")
    return 1 if broken else 0


def _again(number: int, only: Only) -> str:
    return f"python -m tests.chaos --n 1 --seed {number}" + ("" if only is Only.ALL else f" --only {only}")


if __name__ == "__main__":
    sys.exit(main())
