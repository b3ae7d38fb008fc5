"""``make fuzz N=100000``: so many requests as each role, over the API in memory; exit code 1 for a wrong answer."""

from __future__ import annotations

import argparse
import logging
import sys

from kubescribe.domain.access import Role
from tests.support.fuzzing import MemoryTarget, fuzz


def main() -> int:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--n", type=int, default=1000, help="requests as each role")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = []
    for role in (None, *Role):
        target = MemoryTarget()
        headers = {} if role is None else target.world.as_(role)
        statuses, wrong = fuzz(target, headers, args.n, args.seed)
        found += wrong
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
        print(f"{role or 'a stranger'}: {statuses.total():,} requests ({counts})", flush=True)
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
