"""What KubeScribe does on a cluster, measured against a real control plane; without its programs nothing is."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.kube.binaries import NoBinaries, find_binaries

from .kube.detection import Known, detection
from .kube.passes import Crowd, crowd
from .kube.triggers import RATE, Triggered, triggers

HEADING = "# On a cluster"
PARTS = ("detection", "triggers", "passes")


def measured(times: int, count: int, jobs: int, parts: tuple[str, ...] = PARTS) -> dict[str, str]:
    """The figures in Markdown, by their sections' headings."""
    try:
        find_binaries()
    except NoBinaries as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return {}
    sections: dict[str, Callable[[], str]] = {
        "detection": lambda: _detection(detection(times)),
        "triggers": lambda: _triggers(triggers(count)),
        "passes": lambda: _passes(crowd(jobs)),
    }
    headings = {"detection": "an end is known", "triggers": "triggers under faults", "passes": "many Jobs"}
    return {
        f"{HEADING}: {headings[part]}": f"{HEADING}: {headings[part]}\n\n{sections[part]()}\n\n{_machine()}\n"
        for part in parts
    }


def _detection(found: dict[str, list[Known]]) -> str:
    rows = []
    for what, some in found.items():
        since = [one.known for one in some if one.known is not None]
        known = f"{max(since):.1f}" if since else "nothing says so"
        rows.append(f"| {what} | {max(one.happened for one in some):.1f} | {known} | {len(some)} |")
    return "\n".join(
        [
            "Seconds until RunLog has the right word, with `kubescribe api` at its defaults (a lease of 60 s): the "
            "slowest of each. The cluster knows when its API server shows the pod ended, or the Job gone. The goals: "
            "15 s after the cluster knows, 90 s after a silent death.",
            "",
            "| | after it happened | after the cluster knew | times |",
            "| --- | ---: | ---: | ---: |",
            *rows,
        ]
    )


def _triggers(found: Triggered) -> str:
    faults = ", ".join(f"{name} {times}" for name, times in found.faults.items())
    return (
        f"{found.triggers:,} runs asked for as `POST /runs/trigger` does it, 16 at once, through a proxy that gives a "
        f"fault to {RATE:.0%} of the requests to the API server ({faults}): {found.lost} runs without a Job, "
        f"{found.doubled} with two, {found.strangers} Jobs without a run, after {found.seconds:.0f} s. "
        f"{found.waiting} could not be launched at once, and were by the reconciler (passes: {found.passes}). "
        "The Jobs are suspended, and make no pods."
    )


def _passes(found: Crowd) -> str:
    return (
        f"One process that looks after {found.jobs:,} Jobs, each of an open run that waits for its pod. A pass in "
        f"which nothing has happened, beside a watch as the API has one: {found.watched:.2f} s, of which "
        f"{found.watched_cpu:.2f} s are its CPU; one that lists the whole cluster anew: {found.listed:.2f} s "
        f"({found.listed_cpu:.2f} s). The very first one, which makes {found.jobs:,} runs of Jobs that nobody knew: "
        f"{found.first:.1f} s. {found.more / 2**20:.0f} MiB more than without Jobs. The goals: 2 s, 150 MiB."
    )


def _machine() -> str:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), load {load}, "
        f"Python {platform.python_version()}. `python -m tests.bench --only cluster` measures again."
    )
