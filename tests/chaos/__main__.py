"""A campaign of random faults: at the end how many of what, how long, and what was broken."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from .campaign import Case, cases
from .plots import Only, draw
from .summary import summary


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
    print(f"seed {seed}", flush=True)
    began, played, broken = time.monotonic(), 0, []
    acts: Counter[str] = Counter()
    for case in _played(range(seed, seed + args.n), args.only, until, args.workers):
        played += 1
        if case.held:
            acts += case.acts
            print(f"{case.number}: {case.text} ({case.seconds:.1f} s)", flush=True)
        else:
            broken.append(case.number)
            print(f"BROKEN, {_again(case.number, args.only)}: {case.text}", flush=True)
    took = time.monotonic() - began
    print(f"{played} cases from seed {seed} in {took:.0f} s: {len(broken)} broken\n{summary(acts)}")
    for number in broken:
        print(f"  {_again(number, args.only)}    # {draw(number, args.only).text}")
    return 1 if broken else 0


def _again(number: int, only: Only) -> str:
    return f"python -m tests.chaos --n 1 --seed {number}" + ("" if only is Only.ALL else f" --only {only}")


def _played(numbers: range, only: Only, until: float | None, workers: int) -> Iterator[Case]:
    if workers == 1:
        yield from cases(numbers, only, until)
        return
    spawn = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[Case | None] = spawn.Queue()
    shares = [numbers[first::workers] for first in range(workers)]
    processes = [spawn.Process(target=_work, args=(queue, share, only, until), daemon=True) for share in shares]
    for process in processes:
        process.start()
    working = workers
    while working:
        case = queue.get()
        if case is None:
            working -= 1
        else:
            yield case
    for process in processes:
        process.join()


def _work(queue: multiprocessing.Queue[Case | None], numbers: range, only: Only, until: float | None) -> None:
    try:
        for case in cases(numbers, only, until):
            queue.put(case)
    finally:
        queue.put(None)


if __name__ == "__main__":
    sys.exit(main())
