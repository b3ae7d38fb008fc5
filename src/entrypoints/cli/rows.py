"""``kubescribe rows REPORT``: rows of a report as it is or was, on the terminal or as a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

from ...application.ports.report_reader import ReportReader, Row, RowPage
from ...domain.errors import BadRowQuery, BadSetting, RunDidNotPublish
from ...domain.report_query import PAGE_LIMIT, RowQuery
from ...domain.report_value import Kind, kind_of, text_of
from ...domain.row_format import RowFormat
from ..composition.browsing import row_encoder
from ..composition.container import Container
from ..conditions import condition, names, order
from ..settings import Settings
from . import terminal
from .reading import reading

_SHOWN = 20
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Show a page, or write all rows as a file."""
    if args.limit is not None and args.limit < 1:
        raise BadSetting("--limit", f"{args.limit} is less than 1")
    kind = RowFormat.JSON if args.json else RowFormat(args.format) if args.format else None
    if kind is None and args.output is not None:
        raise BadSetting("--output", "a file needs a --format")
    if kind is not None and not kind.is_text and args.output is None and sys.stdout.isatty():
        raise BadSetting("--format", f"{kind} is nothing that a terminal can show; give --output FILE, or pipe it")
    if kind is not None and args.after is not None:
        raise BadSetting("--after", "a file has all rows; leave out --format to go on with the next page")

    async def show(container: Container) -> int:
        reader = container.report_reader()
        query = RowQuery(
            report=args.report,
            columns=names(args.columns),
            filters=tuple(condition(text) for text in args.where),
            sort=order(args.sort),
            version=args.version,
            as_of_run=await _run(reader, args.report, args.as_of_run),
        )
        if kind is None:
            _print(await reader.page(query, limit=args.limit or _SHOWN, after=args.after))
            return 0
        most = settings.download_rows
        async with reader.stream(query, limit=sys.maxsize if args.limit else most) as stream:
            encoder = row_encoder(kind, formula_safe=args.formula_safe)
            batches = _first(stream.batches, args.limit) if args.limit else stream.batches
            await _write(encoder.encode(stream.columns, batches), args.output)
        return 0

    if kind is None and args.limit is not None and args.limit > PAGE_LIMIT:
        raise BadRowQuery(f"a page has 1 to {PAGE_LIMIT} rows, and not {args.limit}; give --format for more")
    return reading(settings, show)


async def _run(reader: ReportReader, report: str, text: str | None) -> UUID | None:
    """The run or rollback whose id this is, begins or ends so."""
    if text is None:
        return None
    digits = text.replace("-", "").lower()
    if len(digits) == 32:
        try:
            return UUID(digits)
        except ValueError:
            raise RunDidNotPublish(report, text) from None
    summary = await reader.summary(report)
    known = dict.fromkeys(one.run_id for one in (*summary.kept, summary.report.current))
    fits = [one for one in known if digits and (one.hex.startswith(digits) or one.hex.endswith(digits))]
    if len(fits) != 1:
        raise RunDidNotPublish(report, text)
    return fits[0]


async def _first(batches: AsyncIterator[tuple[Row, ...]], limit: int) -> AsyncIterator[tuple[Row, ...]]:
    async for rows in batches:
        yield rows[:limit]
        limit -= len(rows)
        if limit <= 0:
            return


async def _write(pieces: AsyncIterator[bytes], output: str | None) -> None:
    """To standard output, or to a file that is there when it is whole."""
    if output is None:
        await _all(pieces, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    target = Path(output)
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            await _all(pieces, file.write)
        part.replace(target)
    except OSError as error:
        raise BadSetting("--output", f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


async def _all(pieces: AsyncIterator[bytes], write: Callable[[bytes], object]) -> None:
    async for piece in pieces:
        write(piece)


def _print(page: RowPage) -> None:
    console = terminal.console()
    listed = [column.name for column in page.columns]
    rows = [["" if value is None else terminal.printable(text_of(value) or "") for value in row] for row in page.rows]
    fits = terminal.fitting(listed, rows)
    numbers = [column.name for column in page.columns if kind_of(column) in _NUMBERS]
    terminal.show(terminal.table(listed[:fits], [row[:fits] for row in rows], right=numbers))
    if fits < len(listed):
        console.print(f"… and {len(listed) - fits} more columns: {', '.join(listed[fits:])}", style="dim", markup=False)
    source = page.source
    made = source.publication
    console.print(
        f"version {source.version} of {source.report}, published {terminal.when(made.published_at)} "
        f"by run {terminal.short(made.run_id)}",
        style="dim",
        markup=False,
    )
    if page.next is not None:
        console.print(f"more: --after {page.next}", style="dim", markup=False, soft_wrap=True)
