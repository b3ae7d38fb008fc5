"""What the ledger says of a publication: rows that came and went, and what is in the report afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

import msgspec

from ..domain.mode import Mode
from ..domain.report import Publication, Staged
from ..domain.row_sum import RowSum


class Gone(msgspec.Struct, frozen=True):
    """Rows that left a report."""

    rows: int = 0
    sum: RowSum = RowSum()

    def __add__(self, other: Gone) -> Gone:
        return Gone(self.rows + other.rows, self.sum + other.sum)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's figures; they mean what they mean in :class:`~kubescribe.domain.report.Publication`."""

    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None
    total: int
    content: str | None = None


def account_of_first(staged: Staged) -> Account:
    """Of rows that are the whole report: a new version, or the first of a report whose rows will change in place."""
    if not staged.spec.mode.in_place:
        return Account(total=staged.rows)
    return Account(inserted=staged.rows, updated=0, deleted=0, total=staged.rows, content=staged.content)


def account_of_change(before: Publication, staged: Staged, gone: Gone) -> Account:
    """Of rows that came into the report in place of those that are gone; ``before``: the ledger's last row until now.

    Figures that follow from figures: nothing is counted while a publication holds its locks.
    """
    replaced = gone.rows if staged.spec.mode is Mode.MERGE else 0
    return Account(
        inserted=staged.rows - replaced,
        updated=replaced,
        deleted=gone.rows - replaced,
        total=before.shown - gone.rows + staged.rows,
        content=str(_content(before.content) - gone.sum + _content(staged.content)),
    )


def account_of_removal(before: Publication, gone: Gone) -> Account:
    """Of a rollback that took rows out."""
    return Account(
        inserted=0,
        updated=0,
        deleted=gone.rows,
        total=before.shown - gone.rows,
        content=str(_content(before.content) - gone.sum),
    )


class LedgerLine(Protocol):
    """What a row of the ledger says of the order of things."""

    @property
    def kind(self) -> str:
        """``publish`` or ``rollback``."""
        ...

    @property
    def version(self) -> int:
        """Of what was staged, or of what is shown again."""
        ...


L = TypeVar("L", bound=LedgerLine)


def in_effect(ledger: Iterable[L]) -> tuple[L, ...]:
    """The publications that no later rollback took back, oldest first. ``ledger`` is one report's, oldest first."""
    kept: list[L] = []
    for row in ledger:
        if row.kind == "publish":
            kept.append(row)
            continue
        while kept and kept[-1].version != row.version:
            kept.pop()
    return tuple(kept)


def _content(text: str | None) -> RowSum:
    return RowSum() if text is None else RowSum.parse(text)
