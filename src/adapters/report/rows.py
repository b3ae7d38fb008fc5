"""Rows of schema ``kubescribe`` as the domain's types, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...application.report_fit import Shape
from ...domain.mode import Mode
from ...domain.report import Column, Publication, ReportSpec, Staged

LEDGER_COLUMNS = (
    "report, run_id, version, kind, mode, generation, attempt_id, fence, rows, inserted, updated, deleted, total, "
    "checksum, content, fingerprint, slot, actor, reason, published_at"
)
STAGED_COLUMNS = "report, spec, run_id, attempt_id, version, rows, bytes, checksum, content, columns, seconds"


def publication(row: Mapping[str, Any]) -> Publication:
    """A ledger row."""
    values = {name: row[name] for name in LEDGER_COLUMNS.split(", ")}
    return Publication(**{**values, "mode": Mode(row["mode"])})


def staged(row: Mapping[str, Any]) -> Staged:
    """A staged version."""
    return Staged(
        spec=msgspec.json.decode(row["spec"], type=ReportSpec),
        run_id=row["run_id"],
        attempt_id=row["attempt_id"],
        version=row["version"],
        rows=row["rows"],
        bytes=row["bytes"],
        checksum=row["checksum"],
        columns=columns(row["columns"]),
        content=row["content"],
        seconds=row["seconds"],
    )


def columns(text: str) -> tuple[Column, ...]:
    """The columns of a report, from jsonb's text."""
    return msgspec.json.decode(text, type=tuple[Column, ...])


def shape(row: Mapping[str, Any]) -> Shape:
    """A report's shape, from ``report_columns``, ``report_mode``, ``report_key`` and ``generation``."""
    return Shape(
        columns=columns(row["report_columns"]),
        mode=Mode(row["report_mode"]),
        key=msgspec.json.decode(row["report_key"], type=tuple[str, ...]),
        generation=row["generation"],
    )


def as_json(value: object) -> str:
    """The text of a jsonb value."""
    return msgspec.json.encode(value).decode()
