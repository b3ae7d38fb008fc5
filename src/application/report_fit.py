"""Whether rows fit a report as it is, and what has to be done to it where they do not.

The rules are the same whatever holds the report, so they are kept once, here.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ..domain.errors import ReportMismatch
from ..domain.mode import Mode, SchemaRule
from ..domain.report import Column, ReportSpec
from .report_columns import differences


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of, as readers and later publications find it."""

    columns: tuple[Column, ...]
    mode: Mode = Mode.REPLACE
    key: tuple[str, ...] = ()
    generation: int = 1

    def takes(self, spec: ReportSpec, columns: tuple[Column, ...]) -> Shape:
        """The shape after a publication of these rows: with their columns, and made anew where that is needed."""
        anew = fit(self, spec, columns) is Fit.RECREATE
        generation = self.generation + 1 if anew else self.generation
        return Shape(columns=columns, mode=spec.mode, key=spec.key, generation=generation)


class Fit(StrEnum):
    """What a publication does to the report's columns."""

    SAME = "same"
    """Nothing."""
    EXTEND = "extend"
    """Columns are added at the end; rows that are there already get null in them."""
    RECREATE = "recreate"
    """The report is made anew: a new generation, with this run's rows alone."""


def fit(shape: Shape, spec: ReportSpec, columns: tuple[Column, ...]) -> Fit:
    """What to do; raises :class:`ReportMismatch` naming every difference where the pipeline does not allow it."""
    wrong = _other_mode(shape, spec)
    extends = len(columns) > len(shape.columns) and columns[: len(shape.columns)] == shape.columns
    if not extends:
        wrong += differences(shape.columns, columns)
    if not wrong:
        return Fit.EXTEND if extends else Fit.SAME
    if spec.schema is SchemaRule.RECREATE:
        return Fit.RECREATE
    raise ReportMismatch(spec.name, wrong)


def _other_mode(shape: Shape, spec: ReportSpec) -> tuple[str, ...]:
    if spec.mode is not shape.mode:
        return (f"it is published in mode {shape.mode}, and not {spec.mode}",)
    if spec.mode is Mode.MERGE and set(spec.key) != set(shape.key):
        return (f"its rows are merged by {', '.join(shape.key)}, and not by {', '.join(spec.key)}",)
    return ()
