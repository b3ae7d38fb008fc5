"""Pipelines for tests of the API; a test that fails leaves none of them running for long."""

from __future__ import annotations

from pathlib import Path

from kubescribe import Context, pipeline


@pipeline(reports=(), run_deadline="5m")
def quick(run: Context, text: str = "hello", tags: list[str] | None = None) -> None:
    """Say something, and keep what was given."""
    print(text)
    run.note(text)


@pipeline(reports=("totals",), run_deadline="5m")
def totals(run: Context, country: str | None = None, day: int = 1, tags: list[str] | None = None) -> None:
    """Publish what generated requests ask about."""
    from tests.support.fuzzing import ROWS

    run.report("totals", ROWS.head(4 - day), key=["k"])


@pipeline(reports=(), run_deadline="5m")
def keep(run: Context, file: str, tags: list[str]) -> None:
    """Write down what arrived, in UTF-8."""
    import json

    Path(file).write_text(json.dumps(tags))


@pipeline(reports=(), run_deadline="5m")
def until(run: Context, file: str) -> None:
    """Wait until a file is there, or somebody ends it."""
    import time

    while not Path(file).exists():
        time.sleep(0.05)


@pipeline(reports=(), run_deadline="5m")
def talk(run: Context, file: str) -> None:
    """Say one thing, wait for a file, and say another."""
    import time

    print("first \x1b[31mred", flush=True)
    while not Path(file).exists():
        time.sleep(0.05)
    print("second", flush=True)


@pipeline(reports=(), run_deadline="5m", retries=1, retry_delay=0)
def chatter(run: Context, file: str) -> None:
    """Print for some seconds, in two attempts: the file says that there was a first one."""
    import time

    again = Path(file).exists()
    Path(file).touch()
    for number in range(150):
        print(f"{'again' if again else 'first'} {number} {'.' * (number % 60)}", flush=True)
        time.sleep(0.015)
    if not again:
        raise RuntimeError("the first time always fails")
