"""The reports beside the model, at every moment of their history that a reader can have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from .family import COLUMNS, REPORTS, Extra, Part, Plan
from .family_model import DIGEST, Misfit, Model, Modelled

Digests = tuple[str, ...]
"""Of each report, in the order of ``REPORTS``."""


class ReportHistory:
    """Follows the ledger. ``rows`` queries the report database."""

    def __init__(self, rows: Callable[..., list[dict[str, Any]]]) -> None:
        self._rows = rows
        self.plans: dict[UUID, Plan] = {}
        """What each run is to publish."""
        self.model = Model()
        self.moments: dict[int, Digests] = {}
        """What the reports have to show when the ledger's last row has this id."""
        self.published: Counter[str] = Counter()
        """How often each mode, ``columns added``, ``made anew``."""
        self._last = 0
        self.faults: list[str] = []

    def follow(self) -> None:
        """Apply what the ledger has more than before, a run at a time: its reports change in one moment."""
        rows = self._rows(_LEDGER, self._last)
        for at, row in enumerate(rows):
            try:
                self._apply(row)
            except Misfit as wrong:
                self.faults.append(str(wrong))
            self._last = row["id"]
            if at + 1 == len(rows) or rows[at + 1]["run_id"] != row["run_id"]:
                self.moments[row["id"]] = tuple(self.model.reports[name].digest() for name in REPORTS)

    def differences(self) -> list[str]:
        """Reports that do not hold what the model says, and what else was wrong with the ledger."""
        self.follow()
        wrong = list(self.faults)
        for name, expected in zip(REPORTS, self.moments[self._last], strict=True):
            columns = self._rows(_COLUMNS, f"reports.{name}")[0]["columns"][len(COLUMNS) :]
            extras = [[extra.name, "text" if extra.text else "bigint"] for extra in self.model.reports[name].extras]
            if columns != extras:
                wrong.append(f"{name} has the further columns {columns} and not {extras}")
            if self._rows(DIGEST.format(name))[0]["md5"] != expected:
                rows = self._rows(f"SELECT * FROM reports.{name}")
                held = sorted(str(tuple(row.values())) for row in rows)
                due = sorted(str(row) for row in self.model.reports[name].rows)
                wrong.append(
                    f"{name} ({self.model.reports[name].mode}) holds {len(held)} rows and not {len(due)}: "
                    f"too many {sorted(_less(held, due))}, missing {sorted(_less(due, held))}"
                )
        return wrong

    def unknown(self, seen: set[tuple[int, Digests]]) -> list[str]:
        """What readers saw, in one moment, of reports and ledger, and that never was."""
        wrong = []
        for last, digests in seen:
            if last > self._last:  # seen since the ledger was followed
                continue
            due = self.moments.get(last)
            if due is None:
                wrong.append(f"the ledger ended with row {last}, in the midst of a run")
            elif due != digests:
                names = [name for name, a, b in zip(REPORTS, due, digests, strict=True) if a != b]
                wrong.append(f"when the ledger ended with row {last}, {', '.join(names)} showed other rows")
        return wrong

    def _apply(self, row: dict[str, Any]) -> None:
        part = next((one for one in self.plans.get(row["run_id"], ()) if one.report == row["report"]), None)
        if part is None:
            raise Misfit(f"run {row['run_id']} has published {row['report']}, which it was not to")
        before = self.model.reports.get(part.report)
        was = None if before is None else (before.generation, before.extras)
        self.model.publish(part, row["run_id"], row["attempt_id"])
        due = self.model.reports[part.report]
        self._count(part, was, due)
        told = (row["mode"], row["rows"], row["total"], row["generation"])
        if told != (part.mode, part.rows, len(due.rows), due.generation):
            raise Misfit(f"the ledger tells of {told}, and the model holds {len(due.rows)}, {due.generation}: {part}")

    def _count(self, part: Part, was: tuple[int, tuple[Extra, ...]] | None, now: Modelled) -> None:
        self.published[part.mode.value] += 1
        if was is not None and was != (now.generation, now.extras):
            self.published["columns added" if was[0] == now.generation else "made anew"] += 1


def _less(one: list[str], other: list[str]) -> list[str]:
    rest = list(one)
    for item in other:
        if item in rest:
            rest.remove(item)
    return rest[:5]


_COLUMNS = """
SELECT array_agg(ARRAY[attname::text, format_type(atttypid, atttypmod)] ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
"""
_LEDGER = """
SELECT id, report, run_id, attempt_id, mode, rows, total, generation FROM kubescribe.publication
WHERE id > %s AND kind = 'publish' ORDER BY id
"""
