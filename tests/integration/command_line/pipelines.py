"""Pipelines that behave well, or misbehave in one way each."""

from __future__ import annotations

import os
import signal
import sys
import threading

import polars as pl

from kubescribe import Context, pipeline, rows

NUMBERS = pl.DataFrame({"id": [1, 2, 3]})
MEBIBYTE = 1024 * 1024


@pipeline(reports=("numbers",))
def numbers(run: Context, count: int = 3) -> None:
    """Publishes some numbers."""
    frame = run.read("SELECT g AS id FROM generate_series(1, CAST(:count AS int)) g", name="series", count=count)
    run.report("numbers", frame, key="id", checks=[rows(min=1)])


@pipeline(reports=("copied",))
def copied(run: Context, rows: int, table: str = "generate_series(1, :rows) AS t (id)", mode: str = "replace") -> None:
    """Hands some numbers over as they are."""
    query = f"SELECT id, repeat(md5(id::text), 30) AS filler FROM {table} WHERE id <= :rows"
    run.copy(query, "copied", rows=rows, key="id", mode=mode)


@pipeline(reports=("growing",))
def growing(run: Context, first: int, mode: str = "append", text: str = "", schema: str = "extend") -> None:
    """Publishes three numbers more, in any mode."""
    frame = pl.DataFrame({"id": [first, first + 1, first + 2], "half": [(first + n) // 2 for n in range(3)]})
    if text:
        frame = frame.with_columns(text=pl.lit(text))
    partition = "half" if mode == "replace_partition" else ()
    run.report("growing", frame, key="id", mode=mode, partition_by=partition, schema=schema)


@pipeline(reports=("growing",))
def growing_copy(run: Context, first: int, mode: str = "append", schema: str = "extend") -> None:
    """The same, undecoded."""
    query = "SELECT g::bigint AS id, g / 2 AS half FROM generate_series(CAST(:first AS int), CAST(:first AS int) + 2) g"
    partition = "half" if mode == "replace_partition" else ()
    run.copy(query, "growing", key="id", mode=mode, partition_by=partition, schema=schema, first=first)


@pipeline
def undeclared(run: Context) -> None:
    """Publishes without having said so."""
    run.report("numbers", NUMBERS)


@pipeline(reports=())
def broken_query(run: Context) -> None:
    """Reads what is not there."""
    run.read("SELECT nothing FROM nowhere", name="the missing table")


@pipeline(reports=())
def killed(run: Context) -> None:
    """Is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


@pipeline(reports=(), run_deadline=1)
def hanging(run: Context) -> None:
    """Hangs, and hears no signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("hanging", flush=True)
    threading.Event().wait()


@pipeline(reports=())
def flooding(run: Context) -> None:
    """Prints more than anybody wants to keep."""
    print("the first line")
    for number in range(40):
        sys.stdout.write(f"{number:06} " + "x" * MEBIBYTE + "\n")
    print("the last line")


@pipeline(reports=())
def long_error(run: Context) -> None:
    """Raises 10 MB of text with NUL bytes and half characters in it."""
    raise ValueError("begin \0 \ud800 " + "e" * 10 * MEBIBYTE + " end")


@pipeline(reports=("numbers", "letters"))
def leaves_early(run: Context) -> None:
    """Ends well in the middle of its work, as some libraries do."""
    run.report("numbers", NUMBERS)
    sys.stdout.flush()
    os._exit(0)


@pipeline(reports=())
def tells_secrets(run: Context) -> None:
    """Prints, notes and raises what it should not."""
    secret = os.environ["PROD_DB_URL"]
    print(f"connecting to {secret}")
    run.note(f"connected to {secret}")
    raise RuntimeError(f"could not connect to {secret}")


@pipeline(reports=())
def takes_text(run: Context, note: str = "nothing") -> None:
    """Takes a text."""
    print(note)


@pipeline(reports=("numbers",), run_at_most=0.001, rows_between={"numbers": (1000, None)})
def promises_much(run: Context) -> None:
    """Takes longer than it promises, and makes fewer rows."""
    run.report("numbers", NUMBERS)
