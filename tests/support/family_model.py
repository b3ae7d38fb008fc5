"""What the reports have to hold: every publication applied, in the ledger's order, to plain lists of rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from kubescribe.domain.mode import Mode

from .family import COLUMNS, Extra, Part, Row, Value, rows_of


@dataclass
class Modelled:
    """One report."""

    mode: Mode
    extras: tuple[Extra, ...]
    rows: list[Row]
    generation: int = 1

    def digest(self) -> str:
        """Of the rows in whatever order, without the nulls at their end; :data:`DIGEST` is the same in PostgreSQL."""
        lines = sorted("(" + ",".join(_text(value) for value in row).rstrip(",") for row in self.rows)
        return hashlib.md5("\n".join(lines).encode()).hexdigest()


DIGEST = """
SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE "C"), ''))
FROM (SELECT rtrim(t::text, ',)') AS line FROM reports.{} t) AS lines
"""
# The nulls are left out because an older snapshot sees the older rows, and in them the columns that came since.


class Misfit(Exception):
    """A publication came through that had to be refused."""


@dataclass
class Model:
    """All reports, by name."""

    reports: dict[str, Modelled] = field(default_factory=dict)

    def publish(self, part: Part, run_id: UUID, attempt_id: UUID) -> None:
        """What one run does to one report."""
        new = rows_of(part, run_id, attempt_id)
        now = self.reports.get(part.report)
        if now is None:
            self.reports[part.report] = Modelled(part.mode, part.extras, new)
            return
        known = len(now.extras)
        if part.mode is not now.mode or part.extras[:known] != now.extras:
            if not part.recreate:
                raise Misfit(f"{part.report} is {now.mode} with {now.extras}, and {part} was published")
            self.reports[part.report] = Modelled(part.mode, part.extras, new, now.generation + 1)
            return
        nulls: Row = (None,) * (len(part.extras) - known)
        now.rows = [*(row + nulls for row in now.rows if _stays(part.mode, row, new)), *new]
        now.extras = part.extras


def _stays(mode: Mode, row: Row, new: list[Row]) -> bool:
    """Whether a row that is there outlives the new ones."""
    if mode is Mode.APPEND:
        return True
    if mode is Mode.REPLACE:
        return False
    at = COLUMNS.index("n" if mode is Mode.MERGE else "part")
    return row[at] not in {one[at] for one in new}


def _text(value: Value) -> str:
    """As PostgreSQL writes it in a row's text."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
