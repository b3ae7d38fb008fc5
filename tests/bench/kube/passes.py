"""What a pass of the reconciler costs where there are thousands of Jobs."""

from __future__ import annotations

import gc
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.support.kube.objects import fired

from .scene import scene
from .triggers import suspended

_AT_ONCE = 8
_QUIET = 5


class Crowd(NamedTuple):
    """Of one process that looks after so many Jobs."""

    jobs: int
    first: float
    """Seconds of the first pass, which makes a run of each."""
    listed: float
    """Seconds of a quiet pass that lists everything anew, and CPU seconds of this process."""
    listed_cpu: float
    watched: float
    """The same of a quiet pass beside a watch, which need not list: what the API does."""
    watched_cpu: float
    more: int
    """Bytes that the process holds more than with no Job."""


def crowd(jobs: int) -> Crowd:
    """``jobs`` of a schedule, all waiting: each is an open run that a pass looks at."""
    with scene(KUBESCRIBE_KEEP_JOBS="100000") as at:
        at.plane.controller_manager.stop()
        cron_job = at.cluster.apply("sleeper", suspended)
        at.cluster.reconcile()
        gc.collect()
        before = resident()
        latest = datetime.now(UTC).replace(second=0, microsecond=0)
        slots = [latest - timedelta(minutes=number) for number in range(jobs)]
        with ThreadPoolExecutor(_AT_ONCE) as several:
            list(several.map(lambda slot: at.namespace.create(fired(cron_job, slot)), slots))
        print(f"{jobs} Jobs are there", file=sys.stderr)
        gc.collect()
        before = max(before, resident())  # what making them has cost is the benchmark's own

        def clocked(anew: bool) -> tuple[float, float]:
            began, cpu = time.perf_counter(), time.process_time()
            if anew:
                at.cluster.later()
            at.cluster.reconcile()
            return time.perf_counter() - began, time.process_time() - cpu

        first, _ = clocked(anew=True)
        listed = [clocked(anew=True) for _ in range(_QUIET)]
        with at.cluster.watched():
            clocked(anew=False)  # the watch begins with a list
            watched = [clocked(anew=False) for _ in range(_QUIET)]
        return Crowd(
            jobs=jobs,
            first=first,
            listed=median(one[0] for one in listed),
            listed_cpu=median(one[1] for one in listed),
            watched=median(one[0] for one in watched),
            watched_cpu=median(one[1] for one in watched),
            more=resident() - before,
        )


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
