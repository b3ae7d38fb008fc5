"""Several processes at once, each with a world and a share of the cases of its own."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess

from .campaign import Case, cases
from .plots import Only

_LOOK = 5.0
"""Seconds between two looks at whether the processes are still there."""


def shared(numbers: range, only: Only, until: float | None, workers: int) -> Iterator[Case]:
    """As ``cases``, in whatever order they come; raises RuntimeError where a process has died."""
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Case | None] = spawn.Queue()
    shares = [numbers[first::workers] for first in range(workers)]
    processes = [spawn.Process(target=work, args=(results, share, only, until), daemon=True) for share in shares]
    for process in processes:
        process.start()
    working = workers
    while working:
        case = _next(results, processes)
        if case is None:
            working -= 1
        else:
            yield case
    for process in processes:
        process.join()


def work(results: multiprocessing.Queue[Case | None], numbers: range, only: Only, until: float | None) -> None:
    """In the process: each case, and at the end None."""
    for case in cases(numbers, only, until):
        results.put(case)
    results.put(None)


def _next(results: multiprocessing.Queue[Case | None], processes: Sequence[BaseProcess]) -> Case | None:
    while True:
        try:
            return results.get(timeout=_LOOK)
        except queue.Empty:
            failed = [process.exitcode for process in processes if process.exitcode]
            if failed:
                raise RuntimeError(f"a worker has ended with {failed[0]}: see above") from None
