"""How tables, times and numbers look to people. Imports rich: only for commands that people read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "succeeded": "green",
    "running": "cyan",
    "pending": "cyan",
    "cancelling": "yellow",
    "uncertain": "yellow",
    "skipped": "dim",
    "cancelled": "dim",
    "failed": "bold red",
    "lost": "bold red",
}


def console() -> Console:
    """The terminal; what is piped is not cut to any width."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100_000)


def show(made: Table) -> None:
    """Print a table, without the spaces that fill up its last column."""
    shown = console()
    with shown.capture() as capture:
        shown.print(made)
    sys.stdout.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def short(run_id: object) -> str:
    """A run's id for a table: on a terminal its end, which is enough for every command; for programs all of it."""
    return str(run_id)[-12:] if sys.stdout.isatty() else str(run_id)


def fitting(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How many of the columns fit beside each other."""
    room = console().width
    for count, name in enumerate(names):
        room -= max([len(name), *(len(row[count]) for row in rows)]) + 2
        if room < -2:
            return max(count, 1)
    return len(names)


def printable(text: str) -> str:
    """Text in which nothing moves the cursor, colours the screen or breaks the line."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def print_json(value: Any) -> None:
    """One JSON document for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = (), wrap: Iterable[str] = ()
) -> Table:
    """A plain table; a cell is text, or a rich text. Only the columns of ``wrap`` give way where it is narrow."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: Any = "right" if column in set(right) else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=column not in set(wrap))
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return made


def status(value: str) -> Text:
    """A state; the word says it, the colour only helps."""
    return Text(value, style=STYLES.get(value, ""))


def when(time: datetime | None) -> str:
    """A time in the reader's zone."""
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def seconds(value: float | None) -> str:
    """A duration, as short as it says enough."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(value: int | None) -> str:
    """Bytes, in the unit that people read."""
    if value is None:
        return ""
    amount = float(value)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
