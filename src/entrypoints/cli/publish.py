"""``kubescribe publish``: where the rows are."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...domain.errors import BadSetting
from ...domain.report import check_report_name
from ..file_order import CSV, PARQUET, STDIN, FileOrder

__all__ = ["FileOrder", "file_to_publish"]


@contextmanager
def file_to_publish(args: argparse.Namespace) -> Iterator[FileOrder | None]:
    """What ``publish`` is asked for, None for another command; raises for a file that cannot even be looked at.

    Standard input is kept in a file until the end of the block: a second attempt needs the rows again.
    """
    if args.command != "publish":
        yield None
        return
    check_report_name(args.report)
    if args.file != STDIN:
        yield _order(args, _looked_at(Path(args.file)))
        return
    with tempfile.TemporaryDirectory(prefix="kubescribe-") as folder:
        kept = Path(folder, "standard-input.csv")
        with kept.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield _order(args, kept)


def _order(args: argparse.Namespace, path: Path) -> FileOrder:
    return FileOrder(report=args.report, path=str(path.absolute()), file=args.file, key=tuple(args.key))


def _looked_at(path: Path) -> Path:
    if path.suffix not in (PARQUET, CSV):
        raise BadSetting("publish", f"{path} is neither {PARQUET} nor {CSV}; give one of them, or {STDIN} for CSV")
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise BadSetting("publish", f"{path} cannot be read: {error.strerror}") from None
