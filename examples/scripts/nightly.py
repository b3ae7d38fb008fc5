#!/usr/bin/env python3
"""Files the day's orders into one archive per region. Knows nothing of KubeScribe but the name of a file.

``kubescribe exec -- examples/scripts/nightly.py`` records it; run alone it does just the same. ``--fail N`` makes it
end with exit code N half-way, to see what that looks like.
"""

import argparse
import json
import os
import random
import time

REGIONS = ("north", "east", "south", "west")


def tell(**event: object) -> None:
    """One line of JSON for whoever listens; nobody has to."""
    path = os.environ.get("KUBESCRIBE_EVENTS")
    if path:
        with open(path, "a", encoding="utf-8") as events:  # noqa: PTH123 - as plain as such scripts are
            events.write(json.dumps(event) + "\n")


def main() -> int:
    """Do the work; the exit code."""
    parser = argparse.ArgumentParser(description="Files the day's orders.")
    parser.add_argument("--fail", type=int, default=0, metavar="N", help="end with exit code N half-way")
    fail = parser.parse_args().fail

    orders = random.Random(2013)  # noqa: S311 - the same orders every night
    filed = 0
    for done, region in enumerate(REGIONS, start=1):
        count = orders.randint(200, 900)
        time.sleep(0.1)
        filed += count
        print(f"{region}: {count} orders filed", flush=True)
        tell(type="progress", fraction=done / len(REGIONS), text=f"{region} is filed")
        if fail and done == len(REGIONS) // 2:
            raise SystemExit(fail)
    tell(type="metric", name="orders", value=filed)
    tell(type="note", text=f"{filed} orders of {len(REGIONS)} regions")
    print(f"done: {filed} orders")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
