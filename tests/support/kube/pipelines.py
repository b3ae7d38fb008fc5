"""Pipelines of the cluster tests."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import polars as pl

from kubescribe import Context, pipeline


@pipeline(schedule="15 5 * * *", reports=["totals"], run_deadline="5m", start_deadline="60s")
def totals(run: Context, rows: int = 3) -> None:
    """Publish some rows."""
    run.report("totals", pl.DataFrame({"n": list(range(rows))}))


@pipeline(reports=[], run_deadline="5m", start_deadline="60s")
def sleeper(run: Context) -> None:
    """Work until somebody ends it."""
    print("at work", flush=True)
    time.sleep(600)


@pipeline(reports=["totals"], run_deadline="5m", start_deadline="60s")
def publisher(run: Context) -> None:
    """Never come to its publication."""
    print("at work", flush=True)
    time.sleep(600)


@pipeline(reports=[], retries=1, run_deadline="5m", start_deadline="60s")
def failing(run: Context) -> None:
    """Fail, every time."""
    raise RuntimeError("the file is not there yet")


@pipeline(reports=[], retries=1, run_deadline="5m", start_deadline="60s")
def killed(run: Context) -> None:
    """Its supervisor dies with it."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


@pipeline(reports=[], run_deadline="5m", start_deadline="60s")
def gate(run: Context, file: str) -> None:
    """End well when the file is there."""
    while not Path(file).exists():
        time.sleep(0.05)


@pipeline(reports=[], run_deadline="5m", start_deadline="60s")
def broken(run: Context) -> None:
    """Fail, and nobody tries again."""
    raise ValueError("the file is empty")


@pipeline(reports=[], run_deadline="5m", start_deadline="60s")
def quick(run: Context) -> None:
    """Nothing to publish, and soon done."""


@pipeline(reports=[], concurrency="forbid", run_deadline="5m", start_deadline="60s")
def alone(run: Context) -> None:
    """Work until somebody ends it, and beside nobody."""
    time.sleep(600)


@pipeline(reports=[], concurrency="queue", run_deadline="5m", start_deadline="60s")
def queued(run: Context, seconds: float = 0.0) -> None:
    """Work for a while, one after the other."""
    time.sleep(seconds)


@pipeline(reports=[], concurrency="replace", run_deadline="5m", start_deadline="60s")
def newest(run: Context, seconds: float = 600.0) -> None:
    """Work until the next one comes."""
    time.sleep(seconds)


@pipeline(reports=["totals"], run_deadline="5m", start_deadline="60s")
def gated(run: Context, folder: str) -> None:
    """Publish when there is a file with the attempt's id."""
    print("at work", flush=True)
    while not Path(folder, str(run.attempt_id)).exists():
        time.sleep(0.05)
    run.report("totals", pl.DataFrame({"n": [1]}))


@pipeline(schedule="*/3 * * * *", reports=["totals"], run_deadline="2m", start_deadline="60s")
def often(run: Context) -> None:
    """Publish something twenty times an hour."""
    run.report("totals", pl.DataFrame({"n": [1]}))


@pipeline(run_deadline="5m", start_deadline="60s")
def apiece(run: Context, report: str) -> None:
    """Publish a report of its own, so that nobody waits for another's."""
    run.report(report, pl.DataFrame({"attempt": [str(run.attempt_id)]}))


@pipeline(reports=["totals"], run_deadline="5m", start_deadline="60s")
def deaf(run: Context) -> None:
    """Work on, whoever asks for an end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(600)


@pipeline(reports=["totals"], run_deadline="5m", start_deadline="60s")
def busy(run: Context, file: str) -> None:
    """Compute in Python, in four threads, until there is the file."""

    def compute() -> None:
        while not Path(file).exists():
            for number in range(300_000):
                _ = number * number

    threads = [threading.Thread(target=compute) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.report("totals", pl.DataFrame({"n": [1]}))
