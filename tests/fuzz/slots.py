"""``python -m tests.fuzz.slots``: expected slots against the model, around every clock change of thirty zones in ten
years and on days between; exit code 1 at the first difference."""

from __future__ import annotations

import argparse
import random
import sys
from datetime import timedelta

from tests.support.slot_check import check_window
from tests.support.slot_model import BEGIN, DAY, END, MINUTE, ZONES, windows_with_changes


def main() -> int:
    """Compare, and say how much was compared."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.slots")
    parser.add_argument("--n", type=int, default=4, help="schedules a window, each under four policies")
    parser.add_argument("--between", type=int, default=20, help="windows a zone at any other time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zone", action="append", choices=ZONES, help="only this one; may be repeated")
    args = parser.parse_args()
    windows = slots = 0
    for zone in args.zone or ZONES:
        dice = random.Random(f"{args.seed} {zone}")
        between = [BEGIN + timedelta(minutes=dice.randrange((END - BEGIN) // MINUTE)) for _ in range(args.between)]
        for window in (*windows_with_changes(zone), *((at, at + 2 * DAY) for at in between)):
            try:
                slots += check_window(zone, *window, dice, args.n)
            except AssertionError as difference:
                print(f"seed {args.seed}: {difference}")
                return 1
            windows += 1
        print(f"{zone}: {windows:,} windows so far, {slots:,} slots alike", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
