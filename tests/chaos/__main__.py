"""The loop: draw a plot, play it, recover, check; at the end how many, how long, and what was broken."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from tests.support.world import World

from .plots import draw

WORLD_FOR = 50
"""Cases in one world; then another one is made, so that what one case leaves is not there for ever."""


def main() -> int:
    """0: everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many cases")
    parser.add_argument("--seed", type=int, default=None, help="the first case's number; the next ones count up")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    args = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if args.seed is None else args.seed
    until = None if args.minutes is None else time.monotonic() + args.minutes * 60
    print(f"seed {seed}", flush=True)
    began, played, broken = time.monotonic(), 0, []
    while played < args.n and (until is None or time.monotonic() < until):
        with World() as world:
            for number in range(seed + played, seed + min(played + WORLD_FOR, args.n)):
                if until is not None and time.monotonic() > until:
                    break
                played += 1
                if not _case(world, number):
                    broken.append(number)
    took = time.monotonic() - began
    print(f"{played} cases from seed {seed} in {took:.0f} s: {len(broken)} broken")
    for number in broken:
        print(f"  python -m tests.chaos --n 1 --seed {number}    # {draw(number).text}")
    return 1 if broken else 0


def _case(world: World, number: int) -> bool:
    plot = draw(number)
    began = time.monotonic()
    try:
        plot.act(world)
    except Exception:
        print(f"BROKEN, seed {number}: {plot.text}\n{traceback.format_exc()}", flush=True)
        return False
    else:
        print(f"{number}: {plot.text} ({time.monotonic() - began:.1f} s)", flush=True)
        return True
    finally:
        world.tidy()


if __name__ == "__main__":
    sys.exit(main())
