"""Rows of schema ``kubescribe`` as the domain's types, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...domain.report import Column, Publication, ReportSpec, Staged

LEDGER_COLUMNS = (
    "report, run_id, version, kind, attempt_id, fence, rows, checksum, fingerprint, slot, actor, reason, published_at"
)
STAGED_COLUMNS = "report, spec, run_id, attempt_id, version, rows, bytes, checksum, columns, seconds"


def publication(row: Mapping[str, Any]) -> Publication:
    """A ledger row."""
    return Publication(**{name: row[name] for name in LEDGER_COLUMNS.split(", ")})


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
        seconds=row["seconds"],
    )


def columns(text: str) -> tuple[Column, ...]:
    """The columns of a report, from jsonb's text."""
    return msgspec.json.decode(text, type=tuple[Column, ...])


def as_json(value: object) -> str:
    """The text of a jsonb value."""
    return msgspec.json.encode(value).decode()
